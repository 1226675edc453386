#include "trainer/tasks/language_model/token_choice.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <ranges>
#include <set>

#include "tuner/core/error.h"

namespace tune::trainer::language_model {
namespace {

// Token ids from the most probable one on, sorted only as far as they are asked for: a vocabulary has a
// hundred thousand, and nearly always some dozens have all the probability.
class Ranking {
 public:
  explicit Ranking(std::span<const float> logits) : logits_(logits) {}
  std::int64_t at(std::size_t place) {
    while (place >= sorted_) sort_more();
    return ids_[place];
  }

 private:
  void sort_more() {
    constexpr std::size_t kFirst = 64, kGrowth = 8;
    const auto above = [this](std::int64_t a, std::int64_t b) {
      const float x = logits_[static_cast<std::size_t>(a)], y = logits_[static_cast<std::size_t>(b)];
      return x != y ? x > y : a < b;
    };
    if (sorted_ == 0) {  // in one pass, which keeps few
      const std::ranges::iota_view all(std::int64_t{0}, static_cast<std::int64_t>(logits_.size()));
      ids_.resize(std::min(logits_.size(), kFirst));
      std::ranges::partial_sort_copy(all, ids_, above);
      sorted_ = ids_.size();
      return;
    }
    if (ids_.size() < logits_.size()) {
      ids_.resize(logits_.size());
      std::iota(ids_.begin(), ids_.end(), std::int64_t{0});
    }
    sorted_ = std::min(ids_.size(), sorted_ * kGrowth);
    const auto end = ids_.begin() + static_cast<std::ptrdiff_t>(sorted_);
    if (end != ids_.end()) std::nth_element(ids_.begin(), end, ids_.end(), above);
    std::sort(ids_.begin(), end, above);
  }

  const std::span<const float> logits_;
  std::vector<std::int64_t> ids_ = {};
  std::size_t sorted_ = 0;
};

void penalise(std::span<float> logits, const GenerationSettings& settings, const TokensBefore& before) {
  if (settings.repetition_penalty != 1) {
    std::set<std::int64_t> seen(before.prompt.begin(), before.prompt.end());
    for (const auto& [id, times] : before.written) seen.insert(id);
    for (const std::int64_t id : seen) {
      float& logit = logits[static_cast<std::size_t>(id)];
      logit = static_cast<float>(logit < 0 ? logit * settings.repetition_penalty
                                           : logit / settings.repetition_penalty);
    }
  }
  if (settings.presence_penalty == 0 && settings.frequency_penalty == 0) return;
  for (const auto& [id, times] : before.written)
    logits[static_cast<std::size_t>(id)] -=
        static_cast<float>(settings.presence_penalty + settings.frequency_penalty * times);
}

// One token of the distribution that temperature, top_k and top_p leave.
std::int64_t drawn(std::span<const float> logits, const GenerationSettings& settings, Rng& rng) {
  Ranking ranking(logits);
  const std::size_t most =
      settings.top_k > 0 ? std::min(logits.size(), static_cast<std::size_t>(settings.top_k)) : logits.size();
  const double largest = logits[static_cast<std::size_t>(ranking.at(0))];
  const auto weight_of = [&](std::int64_t id) {
    return std::exp((logits[static_cast<std::size_t>(id)] - largest) / settings.temperature);
  };
  double all = 0;
  if (most == logits.size())
    for (std::size_t id = 0; id < logits.size(); ++id) all += weight_of(static_cast<std::int64_t>(id));
  else
    for (std::size_t place = 0; place < most; ++place) all += weight_of(ranking.at(place));
  if (!std::isfinite(all))
    throw Error(ExitCode::kInternal, "the model answers with numbers that are not finite",
                "take another version of it; such weights come of a learning rate that was too large");
  double kept = all;
  std::size_t count = most;
  if (settings.top_p < 1)
    for (kept = 0, count = 0; count < most && (count == 0 || kept < settings.top_p * all); ++count)
      kept += weight_of(ranking.at(count));
  double at = rng.uniform() * kept;
  for (std::size_t place = 0; place + 1 < count; ++place)
    if ((at -= weight_of(ranking.at(place))) < 0) return ranking.at(place);
  return ranking.at(count - 1);
}

}  // namespace

std::int64_t next_token(std::span<float> logits, const GenerationSettings& settings,
                        const TokensBefore& before, Rng& rng) {
  penalise(logits, settings, before);
  if (settings.temperature > 0) return drawn(logits, settings, rng);
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

double log_total(std::span<const float> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double total = 0;
  for (const float logit : logits) total += std::exp(logit - largest);
  return largest + std::log(total);
}

std::vector<std::int64_t> largest_logits(std::span<const float> logits, std::size_t count) {
  Ranking ranking(logits);
  std::vector<std::int64_t> ids;
  for (std::size_t place = 0; place < std::min(count, logits.size()); ++place)
    ids.push_back(ranking.at(place));
  return ids;
}

}  // namespace tune::trainer::language_model

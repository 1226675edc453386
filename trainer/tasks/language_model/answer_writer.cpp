#include "trainer/tasks/language_model/answer_writer.h"

#include <algorithm>

namespace tune::trainer::language_model {
namespace {

// The longest end of `text` that a stop begins with, but for whole stops.
std::size_t begun_stop(const std::string& text, const std::vector<std::string>& stops) {
  std::size_t longest = 0;
  for (const std::string& stop : stops)
    for (std::size_t size = std::min(text.size(), stop.size() - 1); size > longest; --size)
      if (text.compare(text.size() - size, size, stop, 0, size) == 0) longest = size;
  return longest;
}

}  // namespace

AnswerWriter::AnswerWriter(const text::Tokenizer& tokenizer, std::vector<std::int64_t> prompt,
                           const GenerationSettings& settings, const std::vector<std::int64_t>& ends,
                           std::int64_t positions, std::uint64_t stream, int alternatives)
    : tokenizer_(tokenizer),
      prompt_(std::move(prompt)),
      settings_(settings),
      ends_(ends),
      positions_(positions),
      alternatives_(alternatives),
      rng_(settings.seed, stream),
      decoder_(tokenizer, /*skip_special=*/true) {}

served::WrittenToken AnswerWriter::scored(std::int64_t id, std::span<const float> logits) const {
  const double total = log_total(logits);
  const auto score = [&](std::int64_t of) {
    return served::TokenScore{tokenizer_.bytes_of(of),
                              static_cast<double>(logits[static_cast<std::size_t>(of)]) - total};
  };
  served::WrittenToken token{score(id), {}};
  for (const std::int64_t other : largest_logits(logits, static_cast<std::size_t>(alternatives_)))
    token.alternatives.push_back(score(other));
  return token;
}

std::string AnswerWriter::certain_text(std::string fresh, bool is_last) {
  held_ += fresh;
  std::size_t first = std::string::npos;
  for (const std::string& stop : settings_.stops) first = std::min(first, held_.find(stop));
  if (first != std::string::npos) {
    end_ = served::End::kStop;
    return std::exchange(held_, {}).substr(0, first);
  }
  const std::size_t kept = is_last ? 0 : begun_stop(held_, settings_.stops);
  std::string certain = held_.substr(0, held_.size() - kept);
  held_.erase(0, certain.size());
  return certain;
}

served::Written AnswerWriter::advance(std::span<const float> logits) {
  std::vector<float> own(logits.begin(), logits.end());
  const std::int64_t id = next_token(own, settings_, {prompt_, times_}, rng_);
  served::Written written;
  if (std::find(ends_.begin(), ends_.end(), id) != ends_.end()) {
    end_ = served::End::kStop;
    written.text = certain_text(decoder_.finish(), /*is_last=*/true);
    written.end = end_;
    return written;
  }
  ids_.push_back(id);
  ++times_[id];
  written.tokens = 1;
  if (alternatives_ >= 0) written.scores.push_back(scored(id, logits));
  const bool is_full = static_cast<std::int64_t>(ids_.size()) >= settings_.max_new_tokens ||
                       static_cast<std::int64_t>(prompt_.size() + ids_.size()) >= positions_;
  if (is_full) end_ = served::End::kLength;
  std::string fresh = decoder_.push(id);
  if (is_full) fresh += decoder_.finish();
  written.text = certain_text(std::move(fresh), is_full);
  written.end = end_;
  return written;
}

}  // namespace tune::trainer::language_model

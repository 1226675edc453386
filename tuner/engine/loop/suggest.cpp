#include "tuner/engine/loop/suggest.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "tuner/core/rng.h"

namespace tune::engine {
namespace {

// Why the answer cannot be used; empty if it can.
std::string objection(const strategies::Answer& answer, const SearchSpace& space, const History& history) {
  const auto* suggestion = std::get_if<strategies::Suggestion>(&answer);
  if (suggestion == nullptr) return {};
  if (suggestion->resume_trial) {
    const int number = *suggestion->resume_trial;
    const bool paused = number >= 1 && number <= static_cast<int>(history.trials.size()) &&
                        history.trials[static_cast<std::size_t>(number) - 1]->state == TrialState::kPaused;
    return paused ? std::string() : "it resumes trial " + std::to_string(number) + ", which is not paused";
  }
  if (suggestion->replicate_of) {
    const int number = *suggestion->replicate_of;
    const bool repeats =
        number >= 1 && number <= static_cast<int>(history.trials.size()) &&
        history.trials[static_cast<std::size_t>(number) - 1]->parameters == suggestion->parameters;
    if (!repeats) return "it is no replicate of trial " + std::to_string(number);
  }
  if (!(suggestion->budget > 0 && suggestion->budget <= 1)) return "its budget is not in (0, 1]";
  return space.objection(suggestion->parameters).value_or(std::string());
}

// Once a study: before the first trial that is a repeat since nothing is left.
std::string used_up_notice(const strategies::Answer& answer, const History& history) {
  const auto* suggestion = std::get_if<strategies::Suggestion>(&answer);
  if (suggestion == nullptr || !suggestion->space_is_used_up || history.trials.empty()) return {};
  const auto searched = std::find_if(history.trials.rbegin(), history.trials.rend(),
                                     [](const auto& trial) { return !trial->replicate_of; });
  if (searched == history.trials.rend()) return {};
  const TrialView& last = **searched;
  const bool last_is_a_repeat =
      std::any_of(history.trials.begin(), searched.base() - 1,
                  [&](const auto& trial) { return trial->parameters == last.parameters; });
  if (last_is_a_repeat) return {};
  return "every point of the space has been tried: from trial " + std::to_string(history.trials.size() + 1) +
         " on they are repeated; a wider range or a lower limits.trials keeps trials from that";
}

strategies::Suggestion random_point(const SearchSpace& space, Rng& rng) {
  std::vector<double> unit(space.size());
  for (double& u : unit) u = rng.uniform();
  strategies::Suggestion suggestion{space.from_unit(unit), 1, std::nullopt,
                                    "random, since the strategy failed"};
  suggestion.explanation = {{"strategy", "random"}};
  return suggestion;
}

}  // namespace

Suggested suggest(strategies::Strategy& strategy, const SearchSpace& space, std::uint64_t seed,
                  const History& history) {
  const int number = history.next_number();
  std::string trouble;
  try {
    Rng rng(seed, static_cast<std::uint64_t>(number));
    strategies::Answer answer = strategy.suggest(history, rng);
    trouble = objection(answer, space, history);
    if (trouble.empty()) return {answer, used_up_notice(answer, history)};
  } catch (const std::exception& error) {
    trouble = error.what();
  }
  Rng rng(seed, static_cast<std::uint64_t>(number));
  return {random_point(space, rng), "trial " + std::to_string(history.trials.size() + 1) +
                                        " is a random point, since the strategy failed: " + trouble};
}

}  // namespace tune::engine

#include "tuner/engine/loop/retries.h"

#include <algorithm>

#include "tuner/core/parameter_text.h"

namespace tune::engine {
namespace {

ParameterSet all_values(const Spec& spec, const ParameterSet& parameters) {
  ParameterSet values = parameters;
  for (const auto& [name, value] : spec.fixed.items()) values.emplace(name, Json(value));
  return values;
}

int count_of(const char* failure, const std::vector<store::AttemptRow>& attempts) {
  return static_cast<int>(
      std::count_if(attempts.begin(), attempts.end(),
                    [&](const store::AttemptRow& attempt) { return attempt.facts.failure == failure; }));
}

}  // namespace

int machine_losses(const store::TrialFacts& trial, const std::vector<store::AttemptRow>& attempts) {
  int losses = 0, taken_away = 0;
  for (const store::AttemptRow& attempt : attempts) {
    if (attempt.attempt <= trial.reopened_after.value_or(0)) continue;
    const bool is_lost = attempt.facts.failure == kBrokenDevice || attempt.facts.failure == kBlindNode ||
                         (attempt.state == store::AttemptState::kLost && !attempt.stop) ||
                         attempt.stop == StopReason::kUnheard;
    const bool has_saved = attempt.facts.failure.empty() &&
                           (attempt.stop == StopReason::kTerminated || attempt.stop == StopReason::kJobTime);
    losses += is_lost;
    if (attempt.facts.failure == kTakenAway) ++taken_away;
    if (has_saved) taken_away = 0;
  }
  return losses + taken_away;
}

Json overrides_after(const std::vector<store::AttemptRow>& attempts, const Spec& spec,
                     const ParameterSet& parameters) {
  const int times = count_of(kOutOfMemory, attempts);
  return Json(climb(spec.retry.out_of_memory, all_values(spec, parameters), times).replaced);
}

bool needs_whole_gpus(const std::vector<store::AttemptRow>& attempts) {
  return count_of(kOutOfMemoryBeside, attempts) > 0;
}

Milliseconds backoff_after(int losses, const Retry& retry) {
  Milliseconds wait = retry.backoff;
  for (int i = 1; i < losses && wait < kLongestBackoff; ++i) wait *= 2;
  return std::min(wait, std::max(kLongestBackoff, retry.backoff));
}

std::string overrides_text(const Json& overrides, const Spec& spec, const ParameterSet& parameters) {
  const ParameterSet own = all_values(spec, parameters);
  std::string text;
  for (const auto& [name, value] : overrides.items()) {
    text += (text.empty() ? "" : ", ") + name + " " + argument_text(value);
    if (const auto place = own.find(name); place != own.end())
      text += " in place of " + argument_text(place->second);
  }
  return text;
}

void retry_without_memory(const std::vector<store::AttemptRow>& attempts, const Spec& spec,
                          const ParameterSet& parameters, bool had_company, AttemptOutcome& outcome) {
  if (outcome.state != TrialState::kFailed || outcome.failure != kOutOfMemory) return;
  const auto run_again = [&](const char* failure, const std::string& how) {
    outcome.state = TrialState::kQueued;
    outcome.reason = how + ": " + outcome.reason;
    outcome.retried = failure;
    outcome.failure.clear();
  };
  if (had_company && spec.resources.packs_gpus)
    return run_again(kOutOfMemoryBeside, "it lacked memory beside other trials, and runs again without them");
  const Climbed next =
      climb(spec.retry.out_of_memory, all_values(spec, parameters), count_of(kOutOfMemory, attempts) + 1);
  if (!next.is_at_end)
    run_again(kOutOfMemory, "from here on with " + overrides_text(Json(next.replaced), spec, parameters));
}

}  // namespace tune::engine

#pragma once
// What becomes of a trial whose attempt has failed: by the spec's `retry` and the attempts before. Peers run
// the same hyperparameters again (Optuna's RetryFailedTrialCallback, Ray Tune's max_failures), or shrink the
// batch within the trainer, where no search learns of it (Accelerate's find_executable_batch_size). Functions
// of what is in the store, so that a process that dies in between changes nothing.
#include <optional>
#include <vector>

#include "store/study_store.h"
#include "tuner/engine/attempt/outcome.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// Classes of failures for which an attempt's trial ran again, as AttemptFacts::failure has them.
inline constexpr const char* kOutOfMemory = "oom";                      // its own
inline constexpr const char* kOutOfMemoryBeside = "oom_beside_others";  // on a GPU that others used too

// Attempts of the trial that the machine has ended, not the trial; since a person had it run again, if one
// has. What was taken away before it had saved anything counts until an attempt has taken the trial further.
int machine_losses(const store::TrialFacts& trial, const std::vector<store::AttemptRow>& attempts);
// What a trial's next attempt has in place of the trial's own hyperparameters.
Json overrides_after(const std::vector<store::AttemptRow>& attempts, const Spec& spec,
                     const ParameterSet& parameters);
// Whether the next attempt must have its GPUs to itself, since one has failed for want of memory beside
// others.
bool needs_whole_gpus(const std::vector<store::AttemptRow>& attempts);
// How long the trial waits after so many attempts that the machine has ended.
Milliseconds backoff_after(int losses, const Retry& retry);

// "batch_size 4 in place of 8"
std::string overrides_text(const Json& overrides, const Spec& spec, const ParameterSet& parameters);

// Has a trial that failed for want of memory run again where it may. `attempts` are those before the one that
// ended.
void retry_without_memory(const std::vector<store::AttemptRow>& attempts, const Spec& spec,
                          const ParameterSet& parameters, bool had_company, AttemptOutcome& outcome);

}  // namespace tune::engine

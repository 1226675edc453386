#pragma once
// The built-in trainer as it describes itself, so that a new task of tune-train needs no change here.
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/study_facts.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

struct BuiltinTrainer {
  std::filesystem::path program;  // tune-train
  Json description;               // what `tune-train describe --json` printed
};

// Looks for tune-train beside the running program, then on the path, and asks it to describe itself.
// Throws Error(kEnvironment) when there is none, or it does not answer.
BuiltinTrainer find_builtin_trainer();
// What `tune-train models --json` prints: the models of all tasks. Throws likewise.
OrderedJson trainer_catalog();
// What `tune-train advise --json` prints with these arguments; each line that it says meanwhile goes to
// `on_line`. Throws likewise, and what it says against the data or the options.
OrderedJson trainer_advice(const std::vector<std::string>& arguments,
                           const std::function<void(const std::string&)>& on_line);

// Makes the spec ready to run: `command` starts tune-train, `metrics` are the trainer's own with the user's
// in front. A search by a strategy that learns, with neither points to try first nor a warm start, begins
// with the trainer's defaults, as far as they lie in its ranges. Throws SpecError for anything that
// trainer_problems() (trainer_check.h) finds, with the lines of `text` and under the name `file`. Does
// nothing when the spec names a command.
void apply_builtin_trainer(Spec& spec, const BuiltinTrainer& trainer, const std::string& file,
                           const std::string& text);

// One run of `tune-train probe` or `tune-train estimate`.
struct ProbeRun {
  Json trial_json;
  std::filesystem::path folder;                         // gets probe.json or estimate.json
  std::map<std::string, std::string> environment = {};  // which devices it may use, and what the spec says
  std::vector<int> inherited = {};                      // descriptors of leases
  std::function<int()> signals = {};                    // as in Program
  // What it says meanwhile, but for an error; {}: it goes to stderr.
  std::function<void(const std::string& line)> on_line = {};
};
// Measures which precision is fastest here, and how fast: what the probe printed; nullopt when a signal ended
// it. Throws Error(kEnvironment) when it fails (bad data, ...): the error that it printed as JSON becomes the
// Error's message and hint; whatever else it said is on stderr by then.
std::optional<store::Probe> probe_trainer(const BuiltinTrainer& trainer, const Spec& spec,
                                          const ProbeRun& run);
// What `tune-train estimate --json` prints of a trial, timed in so many seconds of steps: likewise.
std::optional<Json> estimate_trainer(const BuiltinTrainer& trainer, const Spec& spec, const ProbeRun& run,
                                     double seconds);

}  // namespace tune::engine

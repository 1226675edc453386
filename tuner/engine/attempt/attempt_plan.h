#pragma once
// How a trial becomes one process run: its argument vector, its environment and its trial.json. Pure
// functions.
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/engine/attempt/trial_runner.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// What all attempts of a study have in common.
struct StudyFrame {
  const Spec& spec;  // `command` is set: for a built-in trainer it runs tune-train
  std::filesystem::path study_folder;
  std::uint64_t seed = 0;
  std::string precision = "auto";
  static constexpr Milliseconds kGrace{10'000};  // from SIGTERM to SIGKILL
  Milliseconds grace = kGrace;
};

struct TrialFrame {
  AttemptId id;
  std::string token;
  const ParameterSet& parameters;
  double budget = 1;
  bool resumes = false;  // there is a checkpoint to go on from
  std::map<std::string, std::int64_t> steps_done;
  Json overrides = Json::object();  // what it has in place of its own hyperparameters
  std::optional<int> seed_of = {};  // the trial whose seed it has, in place of its own
};

// {"lora.r": 8} becomes {"lora": {"r": 8}}. Throws Error(kBadSpec) when a name is both a value and a group.
Json nest_names(const std::map<std::string, Json>& values);

// Replaces {{name}} inside each element by its value. An element that names a parameter of the space that is
// not active, or a value that is null, is left out, and with it the option in the element before whose value
// it is. A negative number that begins an element has no exponent, so that no program takes it for an option.
// Throws Error(kBadSpec) for a name that means nothing.
std::vector<std::string> fill_arguments(const std::vector<std::string>& command, const SearchSpace& space,
                                        const std::map<std::string, Json>& values);

// Everything the runner needs; nothing is created on the disk. Throws Error(kEnvironment) when a variable
// that the spec takes from the environment is not set.
Attempt plan_attempt(const StudyFrame& study, const TrialFrame& trial);

}  // namespace tune::engine

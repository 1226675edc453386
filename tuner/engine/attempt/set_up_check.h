#pragma once
// Whether a trial's command could be started at all: its folder, its program, its script.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tuner/engine/attempt/fault.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// What is wrong with a set-up, each with its place in the spec ("/command/0").
struct SetUpProblems {
  std::vector<Problem> fatal;     // no trial could start
  std::vector<Problem> warnings;  // looks like a file, and is none
};

// Looks as the supervisor will: relative paths from the spec's folder, the program on the path that the
// spec's environment gives. Names with {{...}} in them are left out. Starts nothing.
SetUpProblems set_up_problems(const Spec& spec);

// Looks at the set-up when a run begins, and later at what has become of it. Owned by the code that runs the
// loop.
class SetUp {
 public:
  // Throws Error(kEnvironment) when no trial could start.
  explicit SetUp(const Spec& spec);
  const std::vector<Problem>& warnings() const { return warnings_; }
  // What was there when the run began and is gone or unusable now; nullopt when all is well.
  std::optional<Fault> fault() const;

 private:
  const Spec& spec_;
  std::vector<Problem> warnings_;
};

}  // namespace tune::engine

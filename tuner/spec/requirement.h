#pragma once
// What a version of a model must show before an alias names it: promote.require of a spec, or a file.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/history.h"
#include "tuner/core/json.h"

namespace tune {

struct MetricBound {
  std::string metric;
  std::optional<double> min, max;
};

// The version's number may be worse than the other version's by less than `margin`, beyond chance.
struct NotWorse {
  std::string metric;
  double margin = 0;
  Goal goal = Goal::kMaximize;
  std::string than;     // an alias; "": the one that is to move
  double level = 0.95;  // of the interval
  int resamples = 1000;
};

struct Requirement {
  bool approved = false;             // a person has approved the version
  std::string test;                  // a held-out set for tune-train, absolute; "": none
  std::vector<std::string> options;  // of tune-train for it: {"--part", "test"}
  std::string scores;                // a file of the version with its numbers; "": none
  std::vector<MetricBound> metrics;
  std::optional<NotWorse> not_worse;
  std::vector<std::string> smoke;  // files and folders to predict on, absolute
};

// From a value that was checked (check_requirement, read_requirement) or that requirement_json() gave.
// Relative paths start at `folder`.
Requirement requirement_from(const Json& require, const std::filesystem::path& folder);
// The same with absolute paths.
Json requirement_json(const Requirement& requirement);

// Reads a file that holds one. Relative paths start at its folder. Throws SpecError with all that is wrong,
// Error(kNotFound) without the file.
Requirement read_requirement(const std::filesystem::path& file);

class SpecProblems;
// What the table of keys cannot say of the one at `pointer`.
void check_requirement(const std::string& pointer, SpecProblems& problems);

}  // namespace tune

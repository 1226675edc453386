#pragma once
// A tuning job of SageMaker as it was asked for, read and held against the service's own rules.
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/parameter.h"
#include "tuner/import/import_report.h"
#include "tuner/spec/spec_problems.h"

namespace tune::amt {

struct Objective {
  std::string pointer, goal, metric;
};

struct Range {
  std::string pointer, name;
  ParameterType type = ParameterType::kFloat;
  OrderedJson min, max;             // numbers
  std::string scale = "auto";       // as a spec has it
  std::vector<std::string> values;  // of categorical ones
};

struct NamedText {
  std::string pointer, name, text;
};

struct Instances {
  std::string pointer, type;
  int count = 1;
};

// One algorithm with its ranges; a job has one, or several that are searched side by side.
struct Definition {
  std::string pointer, name;  // "" where it has none
  std::optional<Objective> objective;
  std::string ranges_pointer;
  std::vector<Range> ranges;
  std::vector<NamedText> hints;     // AutoParameters
  std::vector<NamedText> fixed;     // StaticHyperParameters
  std::vector<NamedText> metrics;   // regexes
  std::vector<NamedText> channels;  // S3 URIs of the data
  std::vector<NamedText> environment;
  std::string image, image_pointer;
  std::optional<Instances> instances;
};

struct Request {
  std::string name, strategy;
  bool is_autotuned = false;
  bool lists_definitions = false;  // TrainingJobDefinitions
  std::vector<Definition> definitions;
};

// As far as it is sound: what is wrong is in `problems`. Values that are read as they stand, such as those of
// ResourceLimits, are left to find() there.
Request read_request(SpecProblems& problems, ImportReport& report);

// The rules between fields: names, counts, and what goes with which strategy.
void check_rules(const Request& request, SpecProblems& problems);

// The places of what a whole job has once.
inline const std::string kConfig = "/HyperParameterTuningJobConfig";
inline const std::string kLimits = kConfig + "/ResourceLimits";
inline const std::string kHyperband = kConfig + "/StrategyConfig/HyperbandStrategyConfig";
inline const std::string kCompletion = kConfig + "/TuningJobCompletionCriteria";
inline const std::string kStopType = kConfig + "/TrainingJobEarlyStoppingType";
inline const std::string kWarmStart = "/WarmStartConfig";

// The value at a place where it is there and sound. A choice comes in the spelling that the request has.
template <typename T>
std::optional<T> value_at(const SpecProblems& problems, const std::string& pointer) {
  const OrderedJson* value = problems.find(pointer);
  return value == nullptr ? std::nullopt : std::optional<T>(value->get<T>());
}

// The static hyperparameters that the service itself passes on or that its Python SDK adds.
inline constexpr const char* kObjectiveParameter = "_tuning_objective_metric";

// How many points a grid of categorical ranges has; at most 2^53.
double grid_points(const Definition& definition);

}  // namespace tune::amt

#pragma once
// Optuna's storage in an SQLite file: the tables of its schema version 12 (Optuna 3.2 to 5), written and
// read.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/history.h"
#include "tuner/core/json.h"

namespace tune::store {

enum class OptunaState { kRunning, kComplete, kPruned, kFail, kWaiting };

struct OptunaParameter {
  std::string name;
  double value = 0;          // of a categorical one, the index of its choice
  OrderedJson distribution;  // {"name": "FloatDistribution", "attributes": {"low": ..., ...}}
};

struct OptunaTrial {
  int number = 0;  // 0, 1, ...
  OptunaState state = OptunaState::kWaiting;
  std::optional<WallTime> started, completed;
  std::vector<OptunaParameter> parameters;
  std::vector<double> values;         // one an objective, never NaN; may be infinite
  std::vector<MetricPoint> reported;  // the intermediate values, by step, which counts from 0
  std::map<std::string, Json> user_attributes, system_attributes;
};

struct OptunaStudy {
  std::string name;
  std::vector<Goal> goals;  // one an objective
  std::map<std::string, Json> user_attributes, system_attributes;
  std::vector<OptunaTrial> trials;  // by number
};

// Makes a file with this one study: all of it, or none. Times are written as Optuna does, without a zone, in
// the zone of this process. Throws Error(kConflict) where something of that name is there,
// Error(kEnvironment) for what the disk refuses.
void write_optuna_file(const std::filesystem::path& file, const OptunaStudy& study);

// The names of its studies, in the order in which they were made. Throws Error(kNotFound) when there is no
// such file, Error(kBadSpec) for one that Optuna has not made, and DamagedFile.
std::vector<std::string> optuna_studies(const std::filesystem::path& file);
// One of them. Throws as above; Error(kNotFound) for a name that is not there.
OptunaStudy read_optuna_file(const std::filesystem::path& file, const std::string& study);

}  // namespace tune::store

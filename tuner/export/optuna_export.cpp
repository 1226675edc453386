#include "tuner/export/optuna_export.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace tune::exporting {
namespace {

using store::OptunaParameter;
using store::OptunaState;
using store::OptunaTrial;

OptunaState state_of(const store::TrialRow& trial) {
  if (trial.facts.deleted) return OptunaState::kFail;
  switch (trial.state) {
    case TrialState::kQueued:
      return OptunaState::kWaiting;
    case TrialState::kRunning:
      return OptunaState::kRunning;
    case TrialState::kPaused:
    case TrialState::kStopped:
      return OptunaState::kPruned;
    case TrialState::kCompleted: {
      const auto& values = trial.values;  // without a number Optuna counts it as failed, too
      const bool has_value = !values.empty() && std::none_of(values.begin(), values.end(),
                                                             [](double v) { return std::isnan(v); });
      return has_value ? OptunaState::kComplete : OptunaState::kFail;
    }
    case TrialState::kFailed:
      return OptunaState::kFail;
  }
  return OptunaState::kFail;
}

// Optuna's choices are texts, numbers, truth values and null.
Json choice(const Json& value) { return value.is_structured() ? Json(value.dump()) : value; }

OrderedJson choices_of(const Parameter& parameter) {
  OrderedJson list = OrderedJson::array();
  for (const Json& value : parameter.values) list.push_back(OrderedJson(choice(value)));
  return list;
}

// Its last value that the step reaches.
double highest(const Parameter& parameter) {
  if (!parameter.step) return parameter.max;
  const double steps = std::floor((parameter.max - parameter.min) / *parameter.step + kStepTolerance);
  return parameter.min + steps * *parameter.step;
}

OptunaParameter number(const Parameter& parameter, double value) {
  const bool is_int = parameter.type == ParameterType::kInt;
  double low = std::min(parameter.min, value), high = std::max(highest(parameter), value);
  bool log = parameter.scale == Scale::kLog;
  std::optional<double> step = parameter.step;
  if (is_int && step && *step != 1) log = false;
  if (!is_int && log) step.reset();
  // A range that was widened for one value has it among its own.
  if (step && std::abs(std::remainder(high - low, *step)) > kStepTolerance * *step) step.reset();
  const auto written = [&](double number) {
    return is_int ? OrderedJson(static_cast<std::int64_t>(number)) : OrderedJson(number);
  };
  OrderedJson attributes;
  if (is_int)
    attributes = {{"log", log},
                  {"step", static_cast<std::int64_t>(step.value_or(1))},
                  {"low", written(low)},
                  {"high", written(high)}};
  else
    attributes = {
        {"step", step ? OrderedJson(*step) : OrderedJson()}, {"low", low}, {"high", high}, {"log", log}};
  return {parameter.name,
          value,
          {{"name", is_int ? "IntDistribution" : "FloatDistribution"}, {"attributes", attributes}}};
}

void add_parameter(const Parameter& parameter, const Json& value, OptunaTrial& trial) {
  if (parameter.type != ParameterType::kCategorical) {
    if (value.is_number())
      trial.parameters.push_back(number(parameter, value.get<double>()));
    else
      trial.user_attributes["tune:parameter:" + parameter.name] = value;
    return;
  }
  const auto found = std::find(parameter.values.begin(), parameter.values.end(), value);
  if (found == parameter.values.end()) {
    trial.user_attributes["tune:parameter:" + parameter.name] = value;
    return;
  }
  trial.parameters.push_back(
      {parameter.name,
       static_cast<double>(found - parameter.values.begin()),
       {{"name", "CategoricalDistribution"}, {"attributes", {{"choices", choices_of(parameter)}}}}});
}

void add_words(const store::TrialRow& row, OptunaTrial& trial) {
  trial.user_attributes["tune:trial"] = row.number;
  trial.user_attributes["tune:state"] = row.facts.deleted ? "deleted" : to_string(row.state);
  if (!row.reason.empty()) trial.user_attributes["tune:reason"] = row.reason;
  if (!row.note.empty()) trial.user_attributes["tune:note"] = row.note;
  if (!row.failure.empty()) trial.user_attributes["tune:failure"] = row.failure;
  if (row.facts.replicate_of) trial.user_attributes["tune:replicate_of"] = *row.facts.replicate_of;
  if (row.facts.rerun_of) trial.user_attributes["tune:rerun_of"] = *row.facts.rerun_of;
  if (!row.facts.overrides.empty()) trial.user_attributes["tune:ran_with"] = row.facts.overrides;
}

// A time that is there where Optuna wants one.
void add_times(const store::TrialRow& row, OptunaTrial& trial) {
  if (trial.state == OptunaState::kWaiting) return;
  trial.started = row.started.value_or(row.created);
  if (trial.state != OptunaState::kRunning)
    trial.completed = std::max(*trial.started, row.ended.value_or(*trial.started));
}

OptunaTrial trial_of(const store::StudyStore& study, const store::StudyRow& study_row,
                     const SearchSpace& space, const store::TrialRow& row) {
  OptunaTrial trial;
  trial.number = row.number - 1;
  trial.state = state_of(row);
  add_times(row, trial);
  if (trial.state == OptunaState::kWaiting) {
    Json fixed = Json::object();
    for (const auto& [name, value] : row.parameters) fixed[name] = choice(value);
    trial.system_attributes["fixed_params"] = std::move(fixed);
  } else {
    for (const Parameter& parameter : space.parameters())
      if (const auto value = row.parameters.find(parameter.name); value != row.parameters.end())
        add_parameter(parameter, value->second, trial);
    for (const auto& [name, value] : row.parameters)  // of a space that was amended
      if (!space.find(name)) trial.user_attributes["tune:parameter:" + name] = value;
  }
  const std::size_t objectives = study_row.second ? 2 : 1;
  const bool has_values = trial.state == OptunaState::kComplete || trial.state == OptunaState::kPruned;
  if (has_values && row.values.size() == objectives) trial.values = row.values;
  if (trial.values.empty() && trial.state == OptunaState::kComplete) trial.state = OptunaState::kFail;
  // Optuna takes reports of studies with one objective alone.
  if (!study_row.second && !row.facts.deleted)
    trial.reported = study.curve(row.number, study_row.objective.metric);
  add_words(row, trial);
  return trial;
}

}  // namespace

store::OptunaStudy optuna_study(const store::StudyStore& study, const SearchSpace& space) {
  const store::StudyRow row = study.study();
  store::OptunaStudy made;
  made.name = row.name;
  made.goals = {row.objective.goal};
  Json metrics = Json::array({row.objective.metric});
  if (row.second) {
    made.goals.push_back(row.second->goal);
    metrics.push_back(row.second->metric);
  }
  made.system_attributes["study:metric_names"] = metrics;
  made.user_attributes = {{"tune:seed", row.seed}, {"tune:state", to_string(row.state)}};
  if (const auto fixed = row.spec.find("fixed"); fixed != row.spec.end())
    made.user_attributes["tune:fixed"] = *fixed;
  for (const store::TrialRow& trial : study.trials())
    made.trials.push_back(trial_of(study, row, space, trial));
  return made;
}

}  // namespace tune::exporting

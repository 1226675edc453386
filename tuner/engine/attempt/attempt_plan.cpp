#include "tuner/engine/attempt/attempt_plan.h"

#include <optional>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/objective_text.h"
#include "tuner/core/rng.h"
#include "tuner/spec/placeholder.h"

namespace tune::engine {
namespace {

// The hyperparameters that an attempt runs with.
struct Values {
  std::map<std::string, Json> parameters, fixed;
};

// A trial from before a parameter was fixed keeps its own value.
Values values_of(const Spec& spec, const TrialFrame& trial) {
  Values values{trial.parameters, {}};
  for (const auto& [name, value] : spec.fixed.items())
    if (!trial.parameters.contains(name)) values.fixed[name] = Json(value);
  for (const auto& [name, value] : trial.overrides.items())
    (values.parameters.contains(name) ? values.parameters : values.fixed)[name] = value;
  return values;
}

std::uint64_t seed_of(const StudyFrame& study, const TrialFrame& trial) {
  return trial_seed(study.seed, trial.seed_of.value_or(trial.id.trial));
}

Json objective_json(const Objective& objective) {
  return {{"metric", objective.metric},
          {"goal", goal_text(objective.goal)},
          {"reduce", reduce_text(objective.reduce)}};
}

Json trial_document(const StudyFrame& study, const TrialFrame& trial, const Values& values,
                    const Attempt& attempt) {
  const Spec& spec = study.spec;
  Json document{{"schema", 1},
                {"study", spec.study},
                {"trial", trial.id.trial},
                {"attempt", trial.id.attempt},
                {"token", trial.token},
                {"seed", seed_of(study, trial)},
                {"parameters", nest_names(values.parameters)},
                {"fixed", nest_names(values.fixed)},
                {"overrides", trial.overrides},
                {"objective", objective_json(spec.objective)},
                {"trainer", spec.trainer ? *spec.trainer : Json(nullptr)},
                {"budget", trial.budget},
                {"precision", study.precision},
                {"checkpoint_dir", attempt.checkpoint_folder.string()},
                {"output_dir", (attempt.folder / kOutputFolder).string()},
                {"resume_from", trial.resumes ? Json(attempt.checkpoint_folder.string()) : Json(nullptr)}};
  if (spec.second_objective)
    document["objectives"] =
        Json::array({objective_json(spec.objective), objective_json(*spec.second_objective)});
  return document;
}

std::map<std::string, Json> argument_values(const StudyFrame& study, const TrialFrame& trial,
                                            const Values& own, const Attempt& attempt) {
  std::map<std::string, Json> values = own.fixed;
  for (const auto& [name, value] : own.parameters) values[name] = value;
  values["trial_file"] = (attempt.folder / kTrialFile).string();
  values["output_dir"] = (attempt.folder / kOutputFolder).string();
  values["checkpoint_dir"] = attempt.checkpoint_folder.string();
  values["seed"] = std::to_string(seed_of(study, trial));
  return values;
}

void add_environment(const Spec& spec, Attempt& attempt) {
  for (const auto& [name, value] : spec.environment) {
    const bool is_secret = std::holds_alternative<FromEnvironment>(value);
    (is_secret ? attempt.secret_environment : attempt.environment)[name] =
        environment_text(value, name, "the spec");
  }
}

// The element with its names replaced; nullopt when it names an inactive parameter, or one whose value is
// null.
std::optional<std::string> fill_element(const std::string& element, const SearchSpace& space,
                                        const std::map<std::string, Json>& values) {
  std::string filled;
  std::size_t at = 0;
  for (const Placeholder& place : find_placeholders(element)) {
    filled.append(element, at, place.begin - at);
    at = place.end;
    if (const auto value = values.find(place.name); value != values.end()) {
      if (value->second.is_null()) return std::nullopt;
      filled += place.begin == 0 ? positional_text(value->second) : argument_text(value->second);
    } else if (space.find(place.name)) {
      return std::nullopt;
    } else {
      throw Error(ExitCode::kBadSpec,
                  "the command's element \"" + element + "\" names {{" + place.name + "}}, which is nothing",
                  "a name is a parameter, a fixed value, trial_file, output_dir, checkpoint_dir or seed");
    }
  }
  return filled + element.substr(at);
}

// Whether an option in the element before waits for this one: for a value, that is, and neither for another
// option (`--x={{x}}`) nor for a switch, which stands for itself.
bool is_value_of_option(const std::string& element, const SearchSpace& space) {
  if (element.starts_with('-')) return false;
  const std::vector<Placeholder> placeholders = find_placeholders(element);
  if (!is_one_placeholder(element, placeholders)) return true;
  const auto parameter = space.find(placeholders[0].name);
  return !parameter || !is_switch(space.parameters()[*parameter].values);
}

}  // namespace

Json nest_names(const std::map<std::string, Json>& values) {
  Json nested = Json::object();
  for (const auto& [name, value] : values) {
    Json* place = &nested;
    std::size_t at = 0;
    for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', at)) {
      place = &(*place)[name.substr(at, dot - at)];
      if (!place->is_null() && !place->is_object()) {
        throw Error(ExitCode::kBadSpec,
                    "\"" + name.substr(0, dot) + "\" is a value and the group of \"" + name + "\"",
                    "rename one of the two");
      }
      at = dot + 1;
    }
    Json& leaf = (*place)[name.substr(at)];
    if (leaf.is_object() && !leaf.empty()) {
      throw Error(ExitCode::kBadSpec, "\"" + name + "\" is a value and a group of other names",
                  "rename one of the two");
    }
    leaf = value;
  }
  return nested;
}

std::vector<std::string> fill_arguments(const std::vector<std::string>& command, const SearchSpace& space,
                                        const std::map<std::string, Json>& values) {
  std::vector<std::string> arguments;
  arguments.reserve(command.size());
  for (std::size_t i = 0; i < command.size(); ++i) {
    if (auto filled = fill_element(command[i], space, values))
      arguments.push_back(std::move(*filled));
    else if (i > 1 && is_bare_option(command[i - 1]) && is_value_of_option(command[i], space))
      arguments.pop_back();
  }
  return arguments;
}

Attempt plan_attempt(const StudyFrame& study, const TrialFrame& trial) {
  Attempt attempt;
  attempt.id = trial.id;
  attempt.token = trial.token;
  attempt.folder = attempt_folder(study.study_folder, trial.id);
  attempt.checkpoint_folder = checkpoint_folder(study.study_folder, trial.id.trial);
  attempt.working_directory = study.spec.folder;
  attempt.metrics = study.spec.metrics;
  attempt.steps_done = trial.steps_done;
  attempt.grace = study.grace;
  attempt.time_limit = study.spec.limits.trial_time;
  attempt.no_output = study.spec.limits.no_output;
  attempt.no_metric_time = study.spec.limits.no_metric_time;
  const Values values = values_of(study.spec, trial);
  attempt.argv =
      fill_arguments(study.spec.command, study.spec.space, argument_values(study, trial, values, attempt));
  attempt.trial_json = trial_document(study, trial, values, attempt);
  add_environment(study.spec, attempt);
  attempt.environment["TUNE_TRIAL_FILE"] = (attempt.folder / kTrialFile).string();
  attempt.environment["TUNE_OUTPUT_DIR"] = (attempt.folder / kOutputFolder).string();
  attempt.environment["TUNE_CHECKPOINT_DIR"] = attempt.checkpoint_folder.string();
  attempt.environment["TUNE_SEED"] = std::to_string(seed_of(study, trial));
  attempt.environment[kTokenVariable] = trial.token;
  return attempt;
}

}  // namespace tune::engine

#include "tuner/engine/study/trainer_check.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "tuner/core/edit_distance.h"
#include "tuner/core/metric_names.h"
#include "tuner/core/objective_text.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

const std::string kTrainer = "/trainer";  // its place in the spec

std::vector<std::string> names_in(const Json& rows) {
  std::vector<std::string> names;
  for (const Json& row : rows) names.push_back(row.at("name"));
  return names;
}

std::string quoted_name(const Json& row) { return '"' + row.at("name").get<std::string>() + '"'; }

// A text of spec.trainer, else the default of its key, else "".
std::string choice(const Json& trainer, const Json& keys, const std::string& name) {
  if (trainer.contains(name) && trainer[name].is_string()) return trainer[name];
  const Json* key = row_named(keys, name);
  return key ? key->value("default", "") : "";
}

// Checks one trainer against the description and gathers what is wrong.
class TrainerCheck {
 public:
  TrainerCheck(const Spec& spec, const Json& description)
      : spec_(spec), trainer_(*spec.trainer), description_(description) {}

  std::vector<Problem> run() {
    const Json& tasks = description_.at("tasks");
    const std::string name =
        trainer_.contains("task") && trainer_["task"].is_string() ? trainer_["task"] : Json("");
    const Json* task = row_named(tasks, name);
    if (!task) {
      object("/trainer/task", name.empty() ? "the trainer needs a task" : "there is no task \"" + name + "\"",
             name_hint(name, names_in(tasks), "tasks"));
      return problems_;
    }
    check_keys(kTrainer, task->at("trainer_keys"), trainer_);
    if (const Json* recipe = recipe_of(*task, trainer_)) {
      check_hyperparameters(*recipe);
      check_objectives(*recipe);
      check_parts(*task, *recipe);
    }
    check_gpus(*task);
    return problems_;
  }

 private:
  void object(const std::string& pointer, const std::string& message, const std::string& hint = {}) {
    problems_.push_back({0, 0, pointer, message, hint});
  }

  // `task` itself, a key of every trainer, is checked before.
  void check_keys(const std::string& pointer, const Json& keys, const Json& values) {
    std::vector<std::string> known = names_in(keys);
    if (pointer == kTrainer) known.emplace_back("task");
    for (const auto& [name, value] : values.items()) {
      if (pointer == kTrainer && name == "task") continue;
      if (const Json* key = row_named(keys, name))
        check_key(pointer + "/" + name, *key, value);
      else
        object(pointer + "/" + name, "unknown key \"" + name + "\"",
               name_hint(name, known, "keys of " + pointer.substr(1)));
    }
    for (const Json& key : keys)
      if (key.value("required", false) && !values.contains(key.at("name").get<std::string>()))
        object(pointer, "\"" + key.at("name").get<std::string>() + "\" is missing",
               "tune-train describe lists the keys");
  }

  void check_fractions(const std::string& pointer, const Json& value) {
    const bool numbers = value.is_array() && (value.size() == 2 || value.size() == 3) &&
                         std::all_of(value.begin(), value.end(), [](const Json& part) {
                           return part.is_number() && part.get<double>() >= 0;
                         });
    if (!numbers)
      object(pointer, "must be a list of two or three numbers of at least 0", "as in [0.8, 0.2]");
    else if (const double sum =
                 std::accumulate(value.begin(), value.end(), 0.0,
                                 [](double all, const Json& part) { return all + part.get<double>(); });
             std::abs(sum - 1) > 1e-6)
      object(pointer, "add up to " + shortest(sum) + ", not to 1", "as in [0.8, 0.2]");
    else if (value[0] == 0 || value[1] == 0)
      object(pointer, "leaves nothing to train on or nothing to validate on", "as in [0.8, 0.2]");
  }

  void check_key(const std::string& pointer, const Json& key, const Json& value) {
    const std::string kind = key.at("kind");
    if (kind == "any") return;
    if (kind == "object") {
      if (!value.is_object()) return object(pointer, "must be an object");
      return check_keys(pointer, key.value("keys", Json::array()), value);
    }
    if (kind == "list") return check_list(pointer, key, value);
    if (kind == "fractions") return check_fractions(pointer, value);
    if (kind == "number") return check_number(pointer, key, value);
    if (kind == "flag") {
      if (!value.is_boolean()) object(pointer, "must be true or false");
      return;
    }
    if (kind == "count") {
      if (!value.is_number_unsigned() && !(value.is_number_integer() && value >= 0))
        object(pointer, "must be an integer of at least 0");
      return;
    }
    if (!value.is_string()) {
      object(pointer, "must be a text");
      return;
    }
    const std::string text = value;
    if (kind == "choice") {
      const auto values = key.at("values").get<std::vector<std::string>>();
      if (std::find(values.begin(), values.end(), text) == values.end())
        object(pointer, "\"" + text + "\" is not one of its values", name_hint(text, values, "values"));
    } else if (kind == "path") {
      check_path(pointer, spec_.folder / text);
    }
  }

  void check_list(const std::string& pointer, const Json& key, const Json& value) {
    if (!value.is_array()) return object(pointer, "must be a list");
    for (std::size_t i = 0; i < value.size(); ++i)
      check_key(pointer + "/" + std::to_string(i), key.at("items"), value[i]);
  }

  void check_number(const std::string& pointer, const Json& key, const Json& value) {
    if (!value.is_number()) return object(pointer, "must be a number");
    check_bounds(pointer, value, key);
  }

  // `row` is a key or a hyperparameter; `value` is a number.
  void check_bounds(const std::string& pointer, const Json& value, const Json& row) {
    if (row.contains("min") && value < row["min"])
      object(pointer, value.dump() + " is below the smallest allowed value " + row["min"].dump());
    if (row.contains("max") && value > row["max"])
      object(pointer, value.dump() + " is above the largest allowed value " + row["max"].dump());
  }

  void check_path(const std::string& pointer, const fs::path& path) {
    std::error_code error;
    const fs::file_status there = fs::status(path, error);
    if (fs::is_regular_file(there) || fs::is_directory(there)) return;
    if (fs::exists(there))
      object(pointer, path.lexically_normal().string() + " is neither a file nor a folder");
    else if (error && there.type() != fs::file_type::not_found)
      object(pointer, "cannot look at " + path.lexically_normal().string() + ": " + error.message());
    else
      object(pointer, "there is no " + path.lexically_normal().string(),
             "relative paths start in the spec's folder");
  }

  void check_gpus(const Json& task) {
    const int most = task.value("max_gpus", 1), asked = spec_.resources.gpus_per_trial.value_or(0);
    if (asked > most)
      object(
          "/resources/gpus_per_trial",
          "this trainer uses at most " + std::to_string(most) + " GPU" + (most == 1 ? "" : "s") + " a trial",
          "with more GPUs more trials run side by side");
    if (spec_.resources.processes_per_trial.value_or(1) > most)
      object("/resources/processes_per_trial",
             "this trainer consists of at most " + std::to_string(most) +
                 (most == 1 ? " process" : " processes"),
             "more trials run side by side");
  }

  // Each process of a trial takes its part of every batch.
  void check_parts(const Json& task, const Json& recipe) {
    const int processes = count_processes();
    if (processes == 1) return;
    for (const Json& row : recipe.at("hyperparameters"))
      if (const int part = row.value("least_part", 0); part > 0) check_parts(task, row, part, processes);
  }

  void check_parts(const Json& task, const Json& row, int part, int processes) {
    const std::string name = row.at("name");
    const int least = part * processes;
    const auto check = [&](const std::string& pointer, const Json& size) {
      if (size.is_number() && size < least)
        object(pointer,
               "a batch of " + shortest(size.get<double>()) + " " + task.value("unit", "examples") +
                   " is too small for the " + std::to_string(processes) +
                   " processes of a trial, each of which needs " + std::to_string(part),
               "a " + name + " of " + std::to_string(least) + " or more, or fewer processes");
    };
    if (const auto given = spec_.fixed.find(name); given != spec_.fixed.end())
      return check("/fixed/" + name, Json(*given));
    for (const Parameter& parameter : spec_.space.parameters()) {
      if (parameter.name != name) continue;
      const std::string pointer = "/parameters/" + name;
      if (parameter.type != ParameterType::kCategorical) return check(pointer + "/min", parameter.min);
      for (std::size_t i = 0; i < parameter.values.size(); ++i)
        check(pointer + "/values/" + std::to_string(i), parameter.values[i]);
      return;
    }
    if (row.contains("default")) check("/fixed", row.at("default"));
  }

  // Of a trial, on all of its machines.
  int count_processes() const {
    if (spec_.runner.kind == RunnerKind::kSlurm)
      return spec_.runner.slurm.processes_per_trial * spec_.runner.slurm.nodes_per_trial;
    return spec_.resources.processes_per_trial.value_or(
        std::max(1, spec_.resources.gpus_per_trial.value_or(1)));
  }

  void check_hyperparameters(const Json& recipe) {
    const Json& rows = recipe.at("hyperparameters");
    const std::vector<std::string> known = names_in(rows);
    const auto unknown = [&](const std::string& pointer, const std::string& name) {
      object(pointer, "the recipe " + quoted_name(recipe) + " has no hyperparameter \"" + name + "\"",
             name_hint(name, known, "hyperparameters"));
    };
    for (const Parameter& parameter : spec_.space.parameters()) {
      const std::string pointer = "/parameters/" + parameter.name;
      if (const Json* row = row_named(rows, parameter.name))
        check_range(pointer, parameter, *row);
      else
        unknown(pointer, parameter.name);
    }
    for (const auto& [name, value] : spec_.fixed.items()) {
      if (const Json* row = row_named(rows, name))
        check_value("/fixed/" + name, Json(value), *row);
      else
        unknown("/fixed/" + name, name);
    }
  }

  void check_range(const std::string& pointer, const Parameter& parameter, const Json& row) {
    if (parameter.type == ParameterType::kCategorical) {
      for (std::size_t i = 0; i < parameter.values.size(); ++i)
        check_value(pointer + "/values/" + std::to_string(i), parameter.values[i], row);
      return;
    }
    const bool wants_number = row.at("type") == "float" || row.at("type") == "int";
    if (!wants_number || (row.at("type") == "int" && parameter.type == ParameterType::kFloat)) {
      object(pointer + "/type", "this hyperparameter is of type " + row.at("type").get<std::string>());
      return;
    }
    check_value(pointer + "/min", parameter.min, row);
    check_value(pointer + "/max", parameter.max, row);
  }

  void check_value(const std::string& pointer, const Json& value, const Json& row) {
    const std::string type = row.at("type");
    const bool fits = type == "float" ? value.is_number()
                      : type == "int"
                          ? value.is_number_integer() ||
                                (value.is_number_float() && std::trunc(value.get<double>()) == value)
                      : type == "bool" ? value.is_boolean()
                      : type == "text" ? value.is_string()
                                       : true;
    if (!fits) return object(pointer, "must be of type " + type + ", not " + value.dump());
    if (value.is_number()) check_bounds(pointer, value, row);
    if (row.contains("values") &&
        std::find(row["values"].begin(), row["values"].end(), value) == row["values"].end())
      object(pointer, value.dump() + " is not one of " + row["values"].dump());
  }

  void check_objectives(const Json& recipe) {
    const auto& second = spec_.second_objective;
    check_objective(recipe, spec_.objective, second ? "/objectives/0" : "/objective");
    if (second && second->metric != kDeviceSeconds) check_objective(recipe, *second, "/objectives/1");
  }

  void check_objective(const Json& recipe, const Objective& objective, const std::string& pointer) {
    const Json& metrics = recipe.at("metrics");
    std::vector<std::string> known = names_in(metrics);
    for (const MetricDefinition& metric : spec_.metrics) known.push_back(metric.name);
    if (std::find(known.begin(), known.end(), objective.metric) == known.end())
      object(pointer + "/metric",
             "the recipe " + quoted_name(recipe) + " prints no metric \"" + objective.metric + "\"",
             name_hint(objective.metric, known, "metrics"));
    if (const Json* metric = row_named(metrics, objective.metric)) {
      const std::string goal = goal_text(objective.goal);
      if (metric->value("goal", goal) != goal)
        object(pointer + "/goal", "\"" + objective.metric + "\" is better when it is " +
                                      (goal == "maximize" ? "smaller" : "larger"));
    }
  }

  const Spec& spec_;
  const Json& trainer_;
  const Json& description_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> trainer_problems(const Spec& spec, const Json& description) {
  return TrainerCheck(spec, description).run();
}

const Json* row_named(const Json& rows, const std::string& name) {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const Json& one) { return one.at("name") == name; });
  return row == rows.end() ? nullptr : &*row;
}

const Json* recipe_of(const Json& task, const Json& trainer) {
  return row_named(task.at("recipes"), choice(trainer, task.at("trainer_keys"), "recipe"));
}

}  // namespace tune::engine

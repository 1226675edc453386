#include "tuner/engine/study/builtin_trainer.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>
#include <optional>

#include "strategies/strategy.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/objective_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/run_program.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "tune-train";
const std::string kTrainer = "/trainer";  // its place in the spec
// It loads the data and trains for seconds at each precision; on a slow disk the data may take minutes.
constexpr std::chrono::minutes kProbeLimit{30};

std::vector<std::string> names_in(const Json& rows) {
  std::vector<std::string> names;
  for (const Json& row : rows) names.push_back(row.at("name"));
  return names;
}

const Json* row_named(const Json& rows, const std::string& name) {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const Json& one) { return one.at("name") == name; });
  return row == rows.end() ? nullptr : &*row;
}

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
    const std::string recipe = choice(trainer_, task->at("trainer_keys"), "recipe");
    if (const Json* row = row_named(task->at("recipes"), recipe))
      check_hyperparameters(row->at("hyperparameters"), recipe);
    check_objective(*task, recipe);
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
    if (key.contains("min") && value < key["min"])
      object(pointer, value.dump() + " is below the smallest allowed value " + key["min"].dump());
    if (key.contains("max") && value > key["max"])
      object(pointer, value.dump() + " is above the largest allowed value " + key["max"].dump());
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
      object("/resources/gpus_per_trial",
             "this trainer uses at most " + std::to_string(most) + " GPU a trial",
             "with more GPUs more trials run side by side");
  }

  void check_hyperparameters(const Json& rows, const std::string& recipe) {
    const std::vector<std::string> known = names_in(rows);
    const auto unknown = [&](const std::string& pointer, const std::string& name) {
      object(pointer, "the recipe \"" + recipe + "\" has no hyperparameter \"" + name + "\"",
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
    if (value.is_number()) {
      if (row.contains("min") && value < row["min"])
        object(pointer, value.dump() + " is below the smallest allowed value " + row["min"].dump());
      if (row.contains("max") && value > row["max"])
        object(pointer, value.dump() + " is above the largest allowed value " + row["max"].dump());
    }
    if (row.contains("values") &&
        std::find(row["values"].begin(), row["values"].end(), value) == row["values"].end())
      object(pointer, value.dump() + " is not one of " + row["values"].dump());
  }

  void check_objective(const Json& task, const std::string& recipe) {
    const Json* row = row_named(task.at("recipes"), recipe);
    if (!row) return;
    std::vector<std::string> known = names_in(row->at("metrics"));
    for (const MetricDefinition& metric : spec_.metrics) known.push_back(metric.name);
    if (std::find(known.begin(), known.end(), spec_.objective.metric) == known.end())
      object("/objective/metric",
             "the recipe \"" + recipe + "\" prints no metric \"" + spec_.objective.metric + "\"",
             name_hint(spec_.objective.metric, known, "metrics"));
    if (const Json* metric = row_named(row->at("metrics"), spec_.objective.metric)) {
      const std::string goal = goal_text(spec_.objective.goal);
      if (metric->value("goal", goal) != goal)
        object("/objective/goal", "\"" + spec_.objective.metric + "\" is better when it is " +
                                      (goal == "maximize" ? "smaller" : "larger"));
    }
  }

  const Spec& spec_;
  const Json& trainer_;
  const Json& description_;
  std::vector<Problem> problems_;
};

// A search that learns begins with what it has to beat, where its ranges hold that.
void begin_with_defaults(Spec& spec, const Json& hyperparameters) {
  StrategySpec& strategy = spec.strategy;
  const auto& table = strategies::strategy_table();
  const bool learns = std::any_of(table.begin(), table.end(), [&](const strategies::StrategyEntry& entry) {
    return entry.name == strategy.name && entry.learns;
  });
  if (!learns || !strategy.try_first.empty() || !spec.warm_start.empty()) return;
  ParameterSet defaults;
  for (const Parameter& parameter : spec.space.parameters()) {
    const Json* row = row_named(hyperparameters, parameter.name);
    if (row != nullptr && row->contains("default") && !parameter.objection(row->at("default")))
      defaults[parameter.name] = row->at("default");
  }
  if (defaults.empty()) return;
  strategy.try_first.push_back(std::move(defaults));
  strategy.try_first_note = "the trainer's defaults";
}

// The rule learns how long a training is, and that paused trials go on from their checkpoints.
void complete_rule(EarlyStopping& rule, const Json& hyperparameters) {
  const Json* epochs = row_named(hyperparameters, "epochs");
  if (!rule.max_step && rule.max_step_parameter.empty() && epochs != nullptr && epochs->contains("default"))
    rule.max_step = epochs->at("default").get<std::int64_t>();
  if (rule.rule == "auto" && !rule.form) rule.form = StopForm::kPause;
}

// What tune-train says of an error on stderr.
struct SaidError {
  std::string message, hint;
};
// nullopt for a line that is not one of its errors as JSON.
std::optional<SaidError> error_in(const std::string& line) {
  const Json said = Json::parse(line, nullptr, false);
  if (!said.is_object() || !said.contains("error") || !said["error"].is_object()) return std::nullopt;
  const auto text = [&](const char* key) {
    const Json value = said["error"].value(key, Json());
    return value.is_string() ? value.get<std::string>() : std::string();
  };
  return SaidError{text("message"), text("hint")};
}

}  // namespace

BuiltinTrainer find_builtin_trainer() {
  const std::optional<fs::path> program = find_program(kProgram);
  if (!program)
    throw Error(ExitCode::kEnvironment, "tune-train was not found beside tune, nor on the path",
                "build it with ./dev build, or name a program of your own in \"command\"");
  std::string last;
  Program describe{{program->string(), "describe", "--json"}, fs::current_path()};
  describe.quiet = false;
  describe.on_line = [&last](const std::string& line) { last = line; };
  const ProgramOutput answer = run_program(describe);
  if (const auto said = error_in(last)) throw Error(ExitCode::kEnvironment, said->message, said->hint);
  const Json description = Json::parse(answer.out, nullptr, false);
  if (answer.exit_code != 0 || !description.is_object() || description.value("schema", 0) != 1)
    throw Error(ExitCode::kEnvironment,
                program->string() + " describe --json did not answer as expected (exit code " +
                    std::to_string(answer.exit_code) + ")" + (last.empty() ? "" : ": " + last),
                "tune and tune-train must be of the same version; try `tune-train describe` by hand");
  return {*program, description};
}

std::vector<Problem> trainer_problems(const Spec& spec, const Json& description) {
  return TrainerCheck(spec, description).run();
}

void apply_builtin_trainer(Spec& spec, const BuiltinTrainer& trainer, const std::string& file,
                           const std::string& text) {
  if (!spec.trainer) return;
  std::vector<Problem> problems = trainer_problems(spec, trainer.description);
  if (!problems.empty()) {
    locate_problems(text, problems);
    throw SpecError(file, std::move(problems));
  }

  spec.command = {trainer.program.string(), "--trial", "{{trial_file}}"};
  const Json* task = row_named(trainer.description.at("tasks"), spec.trainer->at("task"));
  const Json* recipe =
      row_named(task->at("recipes"), choice(*spec.trainer, task->at("trainer_keys"), "recipe"));
  TUNE_CHECK(recipe != nullptr);
  for (const Json& metric : recipe->at("metrics")) {
    const std::string name = metric.at("name");
    const bool redefined = std::any_of(spec.metrics.begin(), spec.metrics.end(),
                                       [&](const MetricDefinition& m) { return m.name == name; });
    if (redefined) continue;
    MetricDefinition definition{name, metric.value("regex", ""), std::nullopt};
    if (metric.contains("step")) definition.step = metric["step"].get<std::string>();
    spec.metrics.push_back(std::move(definition));
  }
  begin_with_defaults(spec, recipe->at("hyperparameters"));
  complete_rule(spec.early_stopping, recipe->at("hyperparameters"));
}

std::optional<store::Probe> probe_trainer(const BuiltinTrainer& trainer, const Spec& spec,
                                          const ProbeRun& run) {
  const fs::path file = run.folder / "probe.json";
  write_file_atomically(file, run.trial_json.dump(2));
  Program probe{{trainer.program.string(), "probe", "--trial", file.string(), "--json"}, spec.folder, false};
  std::string message, hint = "to see it again: tune-train probe --trial " + file.string();
  probe.on_line = [&](const std::string& line) {
    const auto error = error_in(line);
    if (!error) {
      std::cerr << visible_text(line) << '\n';
      return;
    }
    message = error->message;
    if (!error->hint.empty()) hint = error->hint;
  };
  probe.environment = run.environment;
  probe.inherited = run.inherited;
  probe.time_limit = kProbeLimit;
  probe.signals = run.signals;
  const ProgramOutput answer = run_program(probe);
  if (run.signals && run.signals() > 0) return std::nullopt;
  if (answer.exit_code != 0)
    throw Error(ExitCode::kEnvironment,
                "tune-train probe failed before the first trial (exit code " +
                    std::to_string(answer.exit_code) + ")" + (message.empty() ? "" : ": " + message),
                hint);
  try {
    return Json::parse(answer.out).get<store::Probe>();
  } catch (const std::exception& problem) {
    throw Error(
        ExitCode::kEnvironment, std::string("tune-train probe did not answer as expected: ") + problem.what(),
        "tune and tune-train must be of the same version; to see what it says: tune-train probe --trial " +
            file.string() + " --json");
  }
}

}  // namespace tune::engine

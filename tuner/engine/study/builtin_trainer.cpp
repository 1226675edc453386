#include "tuner/engine/study/builtin_trainer.h"

#include <algorithm>
#include <iostream>
#include <optional>

#include "strategies/strategy.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/study/trainer_check.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/run_program.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "tune-train";
// It loads the data and trains for seconds at each precision; on a slow disk the data may take minutes.
constexpr std::chrono::minutes kProbeLimit{30};

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

fs::path require_program() {
  if (const std::optional<fs::path> program = find_program(kProgram)) return *program;
  throw Error(ExitCode::kEnvironment, "tune-train was not found beside tune, nor on the path",
              "build it with ./dev build, or name a program of your own in \"command\"");
}

struct Asking {
  std::vector<std::string> arguments = {};
  std::chrono::minutes time_limit{1};
  std::function<void(const std::string& line)> on_line = {};  // what it says meanwhile, but for an error
  // What tune ends with where it said an error and ended with that code.
  ExitCode (*code_of)(int exit_code) = [](int) { return ExitCode::kEnvironment; };
};
// What `tune-train COMMAND --json` prints.
OrderedJson answer_of(const fs::path& trainer, const std::string& command, const Asking& asking = {}) {
  std::string last;
  std::optional<SaidError> said;
  Program program{{trainer.string(), command, "--json"}, fs::current_path()};
  program.argv.insert(program.argv.end(), asking.arguments.begin(), asking.arguments.end());
  program.quiet = false;
  program.time_limit = asking.time_limit;
  program.on_line = [&](const std::string& line) {
    last = line;
    if (auto error = error_in(line))
      said = std::move(error);
    else if (asking.on_line)
      asking.on_line(line);
  };
  const ProgramOutput answer = run_program(program);
  if (said) throw Error(asking.code_of(answer.exit_code), said->message, said->hint);
  OrderedJson document = OrderedJson::parse(answer.out, nullptr, false);
  if (answer.exit_code != 0 || !document.is_object() || document.value("schema", 0) != 1)
    throw Error(ExitCode::kEnvironment,
                trainer.string() + " " + command + " --json did not answer as expected (exit code " +
                    std::to_string(answer.exit_code) + ")" + (last.empty() ? "" : ": " + last),
                "tune and tune-train must be of the same version; try `tune-train " + command + "` by hand");
  return document;
}

// What tune ends with where tune-train advise ended so.
ExitCode advice_failure(int exit_code) {
  for (const ExitCode code : {ExitCode::kUsage, ExitCode::kBadSpec, ExitCode::kNotFound, ExitCode::kConflict,
                              ExitCode::kBadData, ExitCode::kInterrupted})
    if (exit_code == static_cast<int>(code)) return code;
  return ExitCode::kEnvironment;
}

}  // namespace

OrderedJson trainer_advice(const std::vector<std::string>& arguments,
                           const std::function<void(const std::string&)>& on_line) {
  // It keeps to its own, shorter time; reading a large set comes first.
  constexpr std::chrono::minutes kLimit{60};
  return answer_of(require_program(), "advise", {arguments, kLimit, on_line, advice_failure});
}

BuiltinTrainer find_builtin_trainer() {
  const fs::path program = require_program();
  return {program, Json(answer_of(program, "describe"))};
}

OrderedJson trainer_catalog() { return answer_of(require_program(), "models"); }

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
  const Json* recipe = recipe_of(*task, *spec.trainer);
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

namespace {

struct Question {
  std::string command;  // probe or estimate
  std::vector<std::string> options = {};
  std::string failure;  // "failed before the first trial"
};
// What the command prints about a trial; nullopt when a signal ended it.
std::optional<Json> answer_about_trial(const BuiltinTrainer& trainer, const Spec& spec, const ProbeRun& run,
                                       const Question& question) {
  const std::string named = "tune-train " + question.command;
  const fs::path file = run.folder / (question.command + ".json");
  write_file_atomically(file, run.trial_json.dump(2));
  Program program{
      {trainer.program.string(), question.command, "--trial", file.string(), "--json"}, spec.folder, false};
  program.argv.insert(program.argv.end(), question.options.begin(), question.options.end());
  std::string message, hint = "to see it again: " + named + " --trial " + file.string();
  program.on_line = [&](const std::string& line) {
    const auto error = error_in(line);
    if (!error) {
      if (run.on_line)
        run.on_line(line);
      else
        std::cerr << visible_text(line) << '\n';
      return;
    }
    message = error->message;
    if (!error->hint.empty()) hint = error->hint;
  };
  program.environment = run.environment;
  program.inherited = run.inherited;
  program.time_limit = kProbeLimit;
  program.signals = run.signals;
  const ProgramOutput answer = run_program(program);
  if (run.signals && run.signals() > 0) return std::nullopt;
  if (answer.exit_code != 0)
    throw Error(ExitCode::kEnvironment,
                named + " " + question.failure + " (exit code " + std::to_string(answer.exit_code) + ")" +
                    (message.empty() ? "" : ": " + message),
                hint);
  Json said = Json::parse(answer.out, nullptr, false);
  if (!said.is_object())
    throw Error(ExitCode::kEnvironment, named + " did not answer as expected: it printed no JSON object",
                "tune and tune-train must be of the same version; to see what it says: " + named +
                    " --trial " + file.string() + " --json");
  return said;
}

}  // namespace

std::optional<store::Probe> probe_trainer(const BuiltinTrainer& trainer, const Spec& spec,
                                          const ProbeRun& run) {
  const auto answer = answer_about_trial(trainer, spec, run, {"probe", {}, "failed before the first trial"});
  if (!answer) return std::nullopt;
  try {
    return answer->get<store::Probe>();
  } catch (const std::exception& problem) {
    throw Error(
        ExitCode::kEnvironment, std::string("tune-train probe did not answer as expected: ") + problem.what(),
        "tune and tune-train must be of the same version; to see what it says: tune-train probe --trial " +
            (run.folder / "probe.json").string() + " --json");
  }
}

std::optional<Json> estimate_trainer(const BuiltinTrainer& trainer, const Spec& spec, const ProbeRun& run,
                                     double seconds) {
  return answer_about_trial(trainer, spec, run, {"estimate", {"--seconds", shortest(seconds)}, "failed"});
}

}  // namespace tune::engine

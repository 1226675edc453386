// `tune-train evaluate`, `predict`, `score`, `audit`, `advise` and `export`: commands that the tasks bring.
#include "trainer/cli/commands.h"

#include <filesystem>
#include <optional>
#include <ostream>

#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/task_table.h"
#include "tuner/core/error.h"

namespace tune::trainer::cli {
namespace {

namespace fs = std::filesystem;

// As in "--model X" and "--model=X"; "" where it is not given. Looked at before the options are known.
std::string value_of(const std::vector<std::string>& arguments, const std::string& option) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == option && i + 1 < arguments.size()) return arguments[i + 1];
    if (arguments[i].starts_with(option + "=")) return arguments[i].substr(option.size() + 1);
  }
  return "";
}

const loop::Task& task_for(std::string_view command, const std::vector<std::string>& arguments) {
  const std::string asked = value_of(arguments, "--task"), model = value_of(arguments, "--model");
  if (!asked.empty()) {
    if (const loop::Task* task = find_task(asked)) return *task;
    throw Error(ExitCode::kUsage, "--task is \"" + asked + "\"", hint_for_task(asked));
  }
  // What is wrong with a folder that does not say is said by the task that is to use it.
  if (const std::string named = model.empty() ? "" : task_name_of(model); !named.empty()) {
    if (const loop::Task* task = find_task(named)) return *task;
    throw Error(ExitCode::kBadData,
                (fs::path(model) / "model.json").string() + ": its task \"" + named + "\" is not known here",
                hint_for_task(named));
  }
  if (const loop::Task* task = model.empty() ? nullptr : task_of_foreign_model(model);
      task != nullptr && loop::offers(*task, command))
    return *task;
  for (const loop::Task* task : task_table())
    if (loop::offers(*task, command)) return *task;
  broken_invariant("some task offers each command of tasks", __FILE__, __LINE__, std::string(command));
}

// What a task offers under that name, with the options that it has for it. The task is --task's, else that of
// the model --model, else the first of the table that offers the command.
int run_task_command(std::string_view command, const Arguments& arguments, Console& console) {
  const loop::Task& task = task_for(command, arguments);
  const loop::Offer& offer = loop::offer_of(task, command);
  Options options(command_line(), command);
  for (const Option& option : offer.options) options.add(option);
  const auto given =
      options
          .value("task", "TASK",
                 "whose command this is, and whose options --help shows (`tune-train describe` names them); "
                 "without it the task of --model, else the first that has the command")
          .json(offer.json_description.empty() ? "one JSON object"
                                               : "one JSON object: " + offer.json_description)
          .parse(arguments, console);
  if (!given) return 0;
  loop::Request request{{}, given->has("json"), console.err, console.err_is_terminal, loop::stop_requested};
  for (const Option& option : offer.options)
    if (given->has(option.name)) request.values[option.name] = given->texts(option.name);
  std::optional<loop::EndOnSignal> ending;
  if (offer.stops_on_signal)
    loop::catch_stop_signals();
  else
    ending.emplace();
  const loop::Answer answer = offer.answer(request);
  if (request.as_json)
    print_ordered(answer.json, console, answer.indent);
  else
    console.out << answer.text;
  console.out << std::flush;
  if (answer.failure) throw Error(*answer.failure);
  return 0;
}

}  // namespace

int run_evaluate(const Arguments& arguments, Console& console) {
  return run_task_command("evaluate", arguments, console);
}

int run_predict(const Arguments& arguments, Console& console) {
  return run_task_command("predict", arguments, console);
}

int run_score(const Arguments& arguments, Console& console) {
  return run_task_command("score", arguments, console);
}

int run_audit(const Arguments& arguments, Console& console) {
  return run_task_command("audit", arguments, console);
}

int run_advise(const Arguments& arguments, Console& console) {
  return run_task_command("advise", arguments, console);
}

int run_export(const Arguments& arguments, Console& console) {
  return run_task_command("export", arguments, console);
}

}  // namespace tune::trainer::cli

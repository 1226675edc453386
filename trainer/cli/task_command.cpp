// `tune-train evaluate`, `predict`, `score` and `audit`: commands that the tasks bring.
#include "trainer/cli/commands.h"

#include <filesystem>
#include <optional>
#include <ostream>

#include "trainer/cli/options.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/task_table.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"

namespace tune::trainer::cli {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

// As in "--model X" and "--model=X"; "" where it is not given. Looked at before the options are known.
std::string value_of(const std::vector<std::string>& arguments, const std::string& option) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == option && i + 1 < arguments.size()) return arguments[i + 1];
    if (arguments[i].starts_with(option + "=")) return arguments[i].substr(option.size() + 1);
  }
  return "";
}

std::string known_tasks() {
  std::string known;
  for (const loop::Task* task : task_table()) known += (known.empty() ? "there is " : ", ") + task->name;
  return known;
}

// "" where the folder does not say: what is wrong with it is then said by the task that is to use it.
std::string task_of_model(const fs::path& folder) {
  const fs::path file = folder / "model.json";
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return "";
  const Json model = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  return model.is_object() && model.contains("task") && model["task"].is_string()
             ? model["task"].get<std::string>()
             : "";
}

const loop::Task& task_for(std::string_view command, const std::vector<std::string>& arguments) {
  const std::string asked = value_of(arguments, "--task"), model = value_of(arguments, "--model");
  if (!asked.empty()) {
    if (const loop::Task* task = find_task(asked)) return *task;
    throw Error(ExitCode::kUsage, "--task is \"" + asked + "\"", known_tasks());
  }
  if (const std::string named = model.empty() ? "" : task_of_model(model); !named.empty()) {
    if (const loop::Task* task = find_task(named)) return *task;
    throw Error(ExitCode::kBadData,
                (fs::path(model) / "model.json").string() + ": its task \"" + named + "\" is not known here",
                known_tasks());
  }
  for (const loop::Task* task : task_table())
    if (loop::offers(*task, command)) return *task;
  broken_invariant("some task offers each command of tasks", __FILE__, __LINE__, std::string(command));
}

po::options_description described(const loop::Offer& offer) {
  po::options_description options("options");
  for (const loop::Option& option : offer.options) {
    if (option.value_name.empty()) {
      options.add_options()(option.name.c_str(), option.description.c_str());
      continue;
    }
    const auto set_up = [&](auto* value) {
      value->value_name(option.value_name);
      if (option.required) value->required();
      return value;
    };
    if (option.repeated)
      options.add_options()(option.name.c_str(), set_up(po::value<std::vector<std::string>>()),
                            option.description.c_str());
    else if (option.default_value.empty())
      options.add_options()(option.name.c_str(), set_up(po::value<std::string>()),
                            option.description.c_str());
    else
      options.add_options()(option.name.c_str(),
                            set_up(po::value<std::string>()->default_value(option.default_value)),
                            option.description.c_str());
  }
  options.add_options()(
      "json",
      (offer.json_description.empty() ? "one JSON object" : "one JSON object: " + offer.json_description)
          .c_str())("task", po::value<std::string>()->value_name("TASK"),
                    "of `tune-train describe`, where it does not follow from the model");
  return options;
}

// What a task offers under that name, with the options that it has for it. The task is --task's, else that of
// the model folder --model, else the first of the table that offers the command.
int run_task_command(std::string_view command, const std::vector<std::string>& arguments, Console& console) {
  const loop::Task& task = task_for(command, arguments);
  const loop::Offer& offer = loop::offer_of(task, command);
  po::options_description options = described(offer);
  const auto given = parse_options(command, options, arguments, console);
  if (!given) return 0;
  loop::Request request{
      {}, given->contains("json"), console.err, console.err_is_terminal, loop::stop_requested};
  for (const loop::Option& option : offer.options) {
    if (!given->contains(option.name)) continue;
    const po::variable_value& value = (*given)[option.name];
    std::vector<std::string>& values = request.values[option.name];
    if (option.repeated)
      values = value.as<std::vector<std::string>>();
    else if (!option.value_name.empty())
      values = {value.as<std::string>()};
  }
  std::optional<loop::EndOnSignal> ending;
  if (offer.stops_on_signal)
    loop::catch_stop_signals();
  else
    ending.emplace();
  const loop::Answer answer = offer.answer(request);
  if (request.as_json)
    print_json(answer.json, console.out, answer.indent);
  else
    console.out << answer.text;
  console.out << std::flush;
  if (answer.failure) throw Error(*answer.failure);
  return 0;
}

}  // namespace

int run_evaluate(const std::vector<std::string>& arguments, Console& console) {
  return run_task_command("evaluate", arguments, console);
}

int run_predict(const std::vector<std::string>& arguments, Console& console) {
  return run_task_command("predict", arguments, console);
}

int run_score(const std::vector<std::string>& arguments, Console& console) {
  return run_task_command("score", arguments, console);
}

int run_audit(const std::vector<std::string>& arguments, Console& console) {
  return run_task_command("audit", arguments, console);
}

}  // namespace tune::trainer::cli

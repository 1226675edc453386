// What tune-train says of the task of a comparison.
#include <algorithm>

#include "tuner/compare/comparison.h"
#include "tuner/core/objective_text.h"

namespace tune::compare {
namespace {

bool has_row(const Json& rows, const std::string& name) {
  return std::any_of(rows.begin(), rows.end(),
                     [&](const Json& row) { return row.value("name", "") == name; });
}

Goal goal_in(const Json& json) {
  return json.value("goal", "") == goal_text(Goal::kMinimize) ? Goal::kMinimize : Goal::kMaximize;
}

}  // namespace

Comparison with_task(Comparison comparison, const Json& description) {
  const OrderedJson& document = comparison.document;
  const std::string name =
      document.contains("trainer") ? document["trainer"].value("task", std::string()) : std::string();
  for (const Json& task : description.value("tasks", Json::array())) {
    if (task.value("name", "") != name) continue;
    const Json commands = task.value("commands", Json::array()),
               primary = task.value("primary", Json::object());
    const auto offers = [&](const char* command) {
      return std::find(commands.begin(), commands.end(), command) != commands.end();
    };
    ComparedTask& found = comparison.task;
    found.name = name;
    found.unit = task.value("unit", found.unit);
    found.number = primary.value("name", "");
    found.goal = goal_in(primary);
    found.has_split = has_row(task.value("trainer_keys", Json::array()), "split");
    found.has_audit = offers("audit");
    found.scores_models = offers("predict") && offers("score") && !found.number.empty();
  }
  return comparison;
}

Json task_to_json(const ComparedTask& task) {
  return {{"name", task.name},
          {"unit", task.unit},
          {"primary", {{"name", task.number}, {"goal", goal_text(task.goal)}}},
          {"audit", task.has_audit}};
}

ComparedTask task_from_json(const Json& json) {
  ComparedTask task;
  if (!json.is_object()) return task;
  task.name = json.value("name", task.name);
  task.unit = json.value("unit", task.unit);
  task.has_audit = json.value("audit", true);
  const Json primary = json.value("primary", Json::object());
  task.number = primary.value("name", task.number);
  task.goal = goal_in(primary);
  return task;
}

}  // namespace tune::compare

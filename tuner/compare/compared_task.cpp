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

// Of the document of tune-train, and of an old record or an older trainer, which tell only the first two.
void take_number(const Json& primary, ComparedTask& task) {
  const ComparedTask detection;
  task.number = primary.value("name", "");
  task.goal = primary.value("goal", "") == goal_text(Goal::kMinimize) ? Goal::kMinimize : Goal::kMaximize;
  const bool is_of_detection = task.number == detection.number;
  task.files = primary.value("files", detection.files);
  task.second = primary.value("second", is_of_detection ? detection.second : "");
  task.of_class = primary.value("of_class", task.number);
  const Json range = primary.value("range", is_of_detection ? Json(*detection.range) : Json());
  task.range = range.is_number() ? std::optional(range.get<double>()) : std::nullopt;
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
    take_number(primary, found);
    found.has_split = has_row(task.value("trainer_keys", Json::array()), "split");
    found.has_audit = offers("audit");
    found.scores_models = offers("predict") && offers("score") && !found.number.empty();
  }
  return comparison;
}

Json task_to_json(const ComparedTask& task) {
  return {{"name", task.name},
          {"unit", task.unit},
          {"primary",
           {{"name", task.number},
            {"goal", goal_text(task.goal)},
            {"files", task.files},
            {"second", task.second},
            {"of_class", task.of_class},
            {"range", task.range ? Json(*task.range) : Json()}}},
          {"audit", task.has_audit}};
}

ComparedTask task_from_json(const Json& json) {
  ComparedTask task;
  if (!json.is_object()) return task;
  task.name = json.value("name", task.name);
  task.unit = json.value("unit", task.unit);
  task.has_audit = json.value("audit", true);
  if (json.contains("primary")) take_number(json["primary"], task);
  return task;
}

}  // namespace tune::compare

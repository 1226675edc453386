#include "trainer/tasks/task_table.h"

#include <algorithm>

#include "trainer/tasks/detection/describe.h"
#include "trainer/tasks/detection/detection_task.h"
#include "trainer/torch_compat.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"

namespace tune::trainer {
namespace {

std::unique_ptr<loop::Task> make_detection(const loop::TrialFile& trial, const loop::Compute& compute,
                                           std::ostream& notes) {
  return std::make_unique<detection::DetectionTask>(trial, compute, notes);
}

void check_keys(const Json& trainer, const OrderedJson& description) {
  std::vector<std::string> known{"task"};
  for (const auto& key : description.at("trainer_keys")) known.push_back(key.at("name").get<std::string>());
  for (const auto& [key, value] : trainer.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    throw Error(ExitCode::kBadSpec, "unknown key \"" + key + "\" in trainer", name_hint(key, known, "keys"));
  }
}

}  // namespace

const std::vector<TaskEntry>& task_table() {
  static const std::vector<TaskEntry> table{{"detection", make_detection, detection::describe_detection}};
  return table;
}

const TaskEntry& task_of(const loop::TrialFile& trial) {
  const Json& trainer = trial.trainer;
  const std::string name = trainer.contains("task") && trainer["task"].is_string() ? trainer["task"] : "";
  std::string known;
  for (const TaskEntry& entry : task_table()) {
    if (entry.name == name) {
      check_keys(trainer, entry.describe());
      return entry;
    }
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw Error(ExitCode::kBadSpec, "trainer.task is \"" + name + "\"", "there is " + known);
}

OrderedJson describe_program() {
  OrderedJson tasks = OrderedJson::array();
  for (const TaskEntry& entry : task_table()) tasks.push_back(entry.describe());
  return {{"schema", 1},
          {"program", "tune-train"},
          {"version", TUNE_VERSION},
          {"libtorch", compat::libtorch_version()},
          {"tasks", tasks}};
}

}  // namespace tune::trainer

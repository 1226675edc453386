#include "trainer/tasks/task_table.h"

#include "trainer/tasks/detection/task.h"
#include "trainer/tasks/pretraining/task.h"
#include "trainer/torch_compat.h"
#include "tuner/core/error.h"

namespace tune::trainer {

const std::vector<const loop::Task*>& task_table() {
  static const std::vector<const loop::Task*> table{&detection::detection_task(),
                                                    &pretraining::pretraining_task()};
  return table;
}

const loop::Task* find_task(const std::string& name) {
  for (const loop::Task* task : task_table())
    if (task->name == name) return task;
  return nullptr;
}

const loop::Task& task_of(const loop::TrialFile& trial) {
  const Json& trainer = trial.trainer;
  const bool named = trainer.contains("task") && trainer["task"].is_string();
  const std::string name = named ? trainer["task"].get<std::string>() : "";
  if (const loop::Task* task = find_task(name)) {
    loop::check_trainer_keys(*task, trainer);
    return *task;
  }
  std::string known;
  for (const loop::Task* task : task_table()) known += (known.empty() ? "" : ", ") + task->name;
  throw Error(ExitCode::kBadSpec, "trainer.task is \"" + name + "\"",
              (task_table().size() == 1 ? "there is " : "there are ") + known);
}

OrderedJson describe_program() {
  OrderedJson tasks = OrderedJson::array();
  for (const loop::Task* task : task_table()) tasks.push_back(loop::describe(*task));
  return {{"schema", 1},
          {"program", "tune-train"},
          {"version", TUNE_VERSION},
          {"libtorch", compat::libtorch_version()},
          {"tasks", tasks}};
}

}  // namespace tune::trainer

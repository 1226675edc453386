#include "trainer/tasks/task_table.h"

#include "trainer/tasks/detection/task.h"
#include "trainer/tasks/image_classification/task.h"
#include "trainer/tasks/language_model/model_folder.h"
#include "trainer/tasks/language_model/task.h"
#include "trainer/tasks/pretraining/task.h"
#include "trainer/tasks/text_classification/task.h"
#include "trainer/torch_compat.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/os/regular_file.h"

namespace tune::trainer {

const std::vector<const loop::Task*>& task_table() {
  static const std::vector<const loop::Task*> table{
      &detection::detection_task(), &image_classification::image_classification_task(),
      &language_model::language_model_task(), &pretraining::pretraining_task(),
      &text_classification::text_classification_task()};
  return table;
}

const loop::Task* find_task(const std::string& name) {
  for (const loop::Task* task : task_table())
    if (task->name == name) return task;
  return nullptr;
}

std::string task_name_of(const std::filesystem::path& folder) {
  constexpr std::uint64_t kMostBytes = 64 << 20;
  const Json model = read_json_file(folder / "model.json", kMostBytes, Links::kFollow).value;
  return model.is_object() && model.contains("task") && model["task"].is_string()
             ? model["task"].get<std::string>()
             : "";
}

const loop::Task* task_of_any_model(const std::filesystem::path& model) {
  if (const std::string name = task_name_of(model); !name.empty()) return find_task(name);
  return task_of_foreign_model(model);
}

const loop::Task* task_of_foreign_model(const std::filesystem::path& model) {
  return language_model::is_model(model) ? &language_model::language_model_task() : nullptr;
}

std::string hint_for_task(const std::string& name) {
  std::vector<std::string> names;
  for (const loop::Task* task : task_table()) names.push_back(task->name);
  return name_hint(name, names, "valid tasks");
}

const loop::Task& task_of(const loop::TrialFile& trial) {
  const Json& trainer = trial.trainer;
  const std::string name = loop::text_key(trainer, "task", "");
  if (const loop::Task* task = find_task(name)) {
    loop::check_trainer_keys(*task, trainer);
    return *task;
  }
  throw Error(ExitCode::kBadSpec, "trainer.task is \"" + name + "\"", hint_for_task(name));
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

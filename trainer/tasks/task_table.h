#pragma once
// The tasks of tune-train: one row each.
#include <iosfwd>
#include <memory>
#include <string_view>
#include <vector>

#include "trainer/loop/device.h"
#include "trainer/loop/task.h"
#include "trainer/loop/trial_file.h"
#include "tuner/core/json.h"

namespace tune::trainer {

struct TaskEntry {
  std::string_view name;  // trainer.task in the spec
  // Reads data and builds the model; what a person should know goes to `notes`.
  std::unique_ptr<loop::Task> (*make)(const loop::TrialFile& trial, const loop::Compute& compute,
                                      std::ostream& notes);
  // Its part of `tune-train describe --json`: name, trainer_keys, recipes, models.
  OrderedJson (*describe)();
};

const std::vector<TaskEntry>& task_table();

// The row for trial.trainer.task. Throws Error(kBadSpec) for an unknown task or an unknown key of `trainer`.
const TaskEntry& task_of(const loop::TrialFile& trial);

// The whole document that `tune-train describe --json` prints.
OrderedJson describe_program();

}  // namespace tune::trainer

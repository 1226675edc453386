#pragma once
// The tasks of tune-train: one row each.
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/loop/task.h"

namespace tune::trainer {

const std::vector<const loop::Task*>& task_table();

// nullptr where there is none of that name.
const loop::Task* find_task(const std::string& name);

// The task that a folder's model.json names; "" where it does not say.
std::string task_name_of(const std::filesystem::path& model);

// The task of a model without model.json, as other programs write it; nullptr where it looks like none's.
const loop::Task* task_of_foreign_model(const std::filesystem::path& model);

// Either; nullptr where none is known.
const loop::Task* task_of_any_model(const std::filesystem::path& model);

// The cure for a name that no task has: the nearest one, or all.
std::string hint_for_task(const std::string& name);

// The row for trial.trainer.task. Throws Error(kBadSpec) for an unknown task or an unknown key of `trainer`.
const loop::Task& task_of(const loop::TrialFile& trial);

// The whole document that `tune-train describe --json` prints.
OrderedJson describe_program();

}  // namespace tune::trainer

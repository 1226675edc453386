#pragma once
// The tasks that the conformance suite runs over.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "trainer/loop/task.h"
#include "trainer/loop/trial_file.h"

namespace tune::tests {

// One of them, with a tiny training of it.
struct TaskCase {
  std::string name;
  const trainer::loop::Task* task;
  std::function<void(const std::filesystem::path& data)>
      draw;                       // writes its data; none for a task that reads none
  Json trainer, hyperparameters;  // of the training, of `epochs`
  std::int64_t epochs;
  trainer::loop::Objective objective;
  std::string measure;  // the key of `evaluate` that is objective.metric of the same data
};

// A row each: of every task of task_table(), and of LineTask.
const std::vector<TaskCase>& task_cases();

}  // namespace tune::tests

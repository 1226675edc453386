#pragma once
// Causal language models as a task: one row of the table of tasks.
#include "trainer/loop/task.h"

namespace tune::trainer::language_model {

const loop::Task& language_model_task();

}  // namespace tune::trainer::language_model

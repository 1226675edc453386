#pragma once
// Pretraining on generated images as a row of the task table. It trains, and offers no command of its own:
// what it makes is the beginning of a detector, not a model to use.
#include "trainer/loop/task.h"

namespace tune::trainer::pretraining {

const loop::Task& pretraining_task();

}  // namespace tune::trainer::pretraining

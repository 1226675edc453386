#pragma once
// Object detection as a row of the task table.
#include "trainer/loop/task.h"

namespace tune::trainer::detection {

const loop::Task& detection_task();

}  // namespace tune::trainer::detection

#pragma once
// Image classification as a row of the task table.
#include "trainer/loop/task.h"

namespace tune::trainer::image_classification {

const loop::Task& image_classification_task();

}  // namespace tune::trainer::image_classification

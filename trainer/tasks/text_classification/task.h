#pragma once
// Text classification as a task of tune-train.
#include "trainer/loop/task.h"

namespace tune::trainer::text_classification {

const loop::Task& text_classification_task();

}  // namespace tune::trainer::text_classification

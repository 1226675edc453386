#pragma once
// A detector that answers requests: Task::serve.
#include "trainer/loop/task.h"

namespace tune::trainer::detection {

served::ServedModel serve_detector(const loop::ServeRequest& request);

}  // namespace tune::trainer::detection

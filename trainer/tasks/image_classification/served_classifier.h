#pragma once
// A classifier of images that answers requests: Task::serve.
#include "trainer/loop/task.h"

namespace tune::trainer::image_classification {

served::ServedModel serve_classifier(const loop::ServeRequest& request);

}  // namespace tune::trainer::image_classification

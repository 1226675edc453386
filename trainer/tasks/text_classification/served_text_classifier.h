#pragma once
// A classifier of texts that answers requests: Task::serve.
#include "trainer/loop/task.h"

namespace tune::trainer::text_classification {

served::ServedModel serve_text_classifier(const loop::ServeRequest& request);

}  // namespace tune::trainer::text_classification

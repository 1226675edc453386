#pragma once
// A language model that answers requests: Task::serve.
#include "trainer/loop/task.h"

namespace tune::trainer::language_model {

// The base once in memory, with the model's own adapter where it is one, and any number of others on it.
served::ServedModel serve_language_model(const loop::ServeRequest& request);

}  // namespace tune::trainer::language_model

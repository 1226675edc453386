#pragma once
// state.json of a checkpoint.
#include "trainer/loop/checkpoint.h"
#include "tuner/core/json.h"

namespace tune::trainer::loop {

Json report_to_json(const Report& report);
Report report_from_json(const Json& json);
Json state_to_json(const Checkpoint& checkpoint);
// All but the tensors. Throws nlohmann's exceptions for a document of another form.
Checkpoint state_from_json(const Json& json);

}  // namespace tune::trainer::loop

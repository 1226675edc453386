#pragma once
// How many GPUs the training instances of SageMaker have.
#include <optional>
#include <string>

namespace tune::amt {

// 0 for families without accelerators; nullopt where that is not known here.
std::optional<int> gpus_of(const std::string& instance_type);

}  // namespace tune::amt

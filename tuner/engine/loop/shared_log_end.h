#pragma once
// What the logs of trials that failed in the same way have in common.
#include <filesystem>
#include <string>
#include <vector>

namespace tune::engine {

// The lines that the logs of all these attempts end with, numbers in them apart: in their order, as the last
// attempt's log has them, ten at most. Empty when they differ or there are none.
std::vector<std::string> shared_log_end(const std::vector<std::filesystem::path>& attempt_folders);

}  // namespace tune::engine

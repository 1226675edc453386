#pragma once
// What the logs of trials that failed in the same way have in common.
#include <filesystem>
#include <string>
#include <vector>

namespace tune::engine {

// The lines, the last at the end, with which all of these attempts' logs end, up to numbers in them: as the
// last attempt's log has them, ten at most. Empty when they differ or there are none.
std::vector<std::string> shared_log_end(const std::vector<std::filesystem::path>& attempt_folders);

}  // namespace tune::engine

#pragma once
// Asking a person before something is gone.
#include <cstdint>
#include <string>

#include "tuner/cli/command_line/command_line.h"

namespace tune::cli {

// Whether the person agrees that it is deleted. Throws Error(kUsage) where nobody is there to ask.
bool is_agreed(const std::string& what, Console& console);

std::string bytes_text(std::uintmax_t bytes);  // "1.5 MB"

}  // namespace tune::cli

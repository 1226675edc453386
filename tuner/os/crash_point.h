#pragma once
// Places where a test makes the process die, to prove that what is left behind is whole.
#include <string_view>

namespace tune {

// Does nothing unless the environment variable TUNE_CRASH_AT is "name" or "name:n": then the n-th call (from
// 1) with that name ends the process at once, as `kill -9` would, with exit code 137. Loop's thread only.
void crash_point(std::string_view name);

}  // namespace tune

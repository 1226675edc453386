#pragma once
// How often the kernel has killed a process for want of memory.
#include <cstdint>

namespace tune::supervisor {

// In our control group (version 2: memory.events, version 1: memory.oom_control), else on the whole machine
// (/proc/vmstat); 0 where nothing tells. $TUNE_OOM_FILE names another file, for tests.
std::uint64_t oom_kills();

}  // namespace tune::supervisor

#pragma once
// The memory of this machine.
#include <cstdint>
#include <optional>

namespace tune {

// What processes may still take without anything being swapped out, as the kernel reckons it (MemAvailable),
// within the limit of the control group that this process is in, where that is at the root of its name space
// as in a container. nullopt where the kernel does not say.
std::optional<std::uint64_t> available_memory_bytes();

}  // namespace tune

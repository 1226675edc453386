#pragma once
// What an attempt took of its GPUs' memory.
#include <cstdint>
#include <optional>

namespace tune::engine {

struct MemoryUse {
  // Bytes, at the time and on the GPU at which its processes held most; absent where the driver did not tell.
  std::optional<std::uint64_t> peak;
  // Others shared a GPU with it for a while, so that it may have lacked memory on their account.
  bool had_company = false;
};

}  // namespace tune::engine

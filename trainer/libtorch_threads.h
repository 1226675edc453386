#pragma once
// Loops of our own on LibTorch's threads.
#include <dlfcn.h>

#include <algorithm>
#include <atomic>

#include "trainer/torch_compat.h"

namespace tune::trainer {

// Calls work(0) to work(parts - 1), each once, on LibTorch's threads, which are those of the OpenMP library
// that it brings. at::parallel_for() does so only in sources that are compiled with OpenMP, and these would
// bring another library of it: in others it is a plain loop. What work() throws ends the program.
template <typename Work>
void for_parts(std::int64_t parts, Work work) {
  using Parallel = void (*)(void (*)(void*), void*, unsigned, unsigned);
  static const auto gomp_parallel = reinterpret_cast<Parallel>(::dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  struct Shared {
    Work& work;
    const std::int64_t parts;
    std::atomic<std::int64_t> next{0};
  } shared{work, parts};
  const auto take_parts = [](void* data) noexcept {
    auto& of = *static_cast<Shared*>(data);
    for (std::int64_t part; (part = of.next++) < of.parts;) of.work(part);
  };
  const std::int64_t threads = std::min<std::int64_t>(parts, at::get_num_threads());
  if (threads > 1 && gomp_parallel != nullptr)
    gomp_parallel(take_parts, &shared, static_cast<unsigned>(threads), 0);
  else
    take_parts(&shared);
}

}  // namespace tune::trainer

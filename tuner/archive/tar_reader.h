#pragma once
// Archives of strangers, unpacked without trust: tar, plain or compressed by gzip.
#include <cstdint>
#include <filesystem>
#include <functional>

namespace tune::archive {

// What an archive may hold at most. Beyond it, it is refused before the disk is full.
struct ArchiveLimits {
  std::size_t entries = 10'000;                  // files and folders
  std::uint64_t bytes = std::uint64_t{1} << 40;  // of all files, unpacked
  std::uint64_t ratio = 200;                     // unpacked to packed bytes: a model's weights hardly shrink
  std::uint64_t ratio_from = std::uint64_t{64} << 20;  // unpacked bytes from which on the ratio counts
};

struct Unpacked {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};

// Unpacks an archive's files and folders into `folder`, which exists, is empty and nobody else's. Nothing is
// ever written outside of it: an absolute name, "..", a link of either kind, a device, a FIFO, a name with
// control characters and one that is there twice are refused. Owners, times and set-uid bits are left behind.
// What was unpacked before an error stays for the caller to remove.
// Throws Error(kBadData) for an archive that is damaged, unsafe or beyond the limits, Error(kNotFound)
// without one, Error(kEnvironment) where the disk refuses, Error(kInterrupted).
Unpacked unpack_tar(const std::filesystem::path& archive, const std::filesystem::path& folder,
                    const ArchiveLimits& limits = {}, const std::function<bool()>& is_interrupted = {});

}  // namespace tune::archive

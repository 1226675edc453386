#pragma once
// What this machine offers: for `tune doctor`, for lineage and for the runner.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tuner/engine/devices/gpu.h"

namespace tune::engine {

struct Machine {
  std::string host, boot_id;
  std::vector<int> cores;    // that this process may use
  std::vector<Gpu> gpus;     // that this process may use
  std::string driver;        // NVIDIA's; empty where there is none
  std::string nvml_problem;  // why NVML could not be loaded; empty where it was
  std::filesystem::path lease_folder;
};
Machine inspect_machine();

// What an unprivileged user may still write on the file system of `path`, or of the nearest folder above it
// that exists.
std::uint64_t free_disk_bytes(const std::filesystem::path& path);
// The kind of the file system of `path`, or of the nearest folder above it that exists, when it is one that
// may lie on a network: "NFS". SQLite's write-ahead log needs memory that all its users share, which such
// file systems do not give to several machines.
std::optional<std::string> network_file_system(const std::filesystem::path& path);
// What a person who writes to a store there is told where the run begins; nullopt on a local disk. Not
// refused: of some file systems (FUSE) nobody knows where they keep their files.
std::optional<std::string> network_warning(const std::filesystem::path& store);

// tune-supervisor: beside this program, else in ../libexec/tune, else on the PATH. Throws
// Error(kEnvironment).
std::filesystem::path find_supervisor();

}  // namespace tune::engine

#pragma once
// The disk that a path lies on: how much of it is free, and whether it is one of this machine's.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace tune {

// What an unprivileged user may still write on the file system of `path`, or of the nearest folder above it
// that exists.
std::uint64_t free_disk_bytes(const std::filesystem::path& path);
// The kind of the file system of `path`, or of the nearest folder above it that exists, when it is one that
// may lie on a network: "NFS". SQLite's write-ahead log needs memory that all its users share, which such
// file systems do not give to several machines.
std::optional<std::string> network_file_system(const std::filesystem::path& path);

}  // namespace tune

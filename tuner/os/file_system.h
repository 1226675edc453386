#pragma once
// The disk that a store lies on: how much of it is free, whether it is one of this machine's, folders of
// one's own there, and what other machines have put into them.
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
// What a person who writes to a store there is told where the run begins; nullopt on a local disk. Not
// refused: of some file systems (FUSE) nobody knows where they keep their files.
std::optional<std::string> network_warning(const std::filesystem::path& store);
// Creates a folder of a store (mode 0700) where there is none. Throws Error(kEnvironment).
void make_private_folder(const std::filesystem::path& folder);
// Has a network file system ask its server which files the folder has. Otherwise it remembers for up to a
// minute that one was not there (nfs(5), "Directory entry caching"); what is opened is asked for anew (the
// same, "Close-to-open cache consistency"). A folder that cannot be opened is met by what reads its files.
void look_anew(const std::filesystem::path& folder);

}  // namespace tune

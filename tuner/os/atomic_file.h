#pragma once
// Files that are there whole or not at all, whatever kills the process.
#include <filesystem>
#include <string>
#include <string_view>

#include "tuner/os/descriptor.h"

namespace tune {

enum class Durability {
  kProcess,  // survives kill -9 of the process: temporary file + rename
  kPower,    // survives power loss too: fsync of the file before, of the folder after the rename
};

// Replaces `path` with `content`. Throws Error(kEnvironment) naming the path and the system's reason (disk
// full, ...); the old content is then still there.
void write_file_atomically(const std::filesystem::path& path, std::string_view content,
                           Durability durability = Durability::kProcess);

// The same for content that comes in pieces. Owned by one function; what was added before an error, or
// without a commit(), is removed.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path, Durability durability = Durability::kProcess);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void add(std::string_view piece);
  void commit();  // the last call

 private:
  std::filesystem::path path_, temporary_;
  Durability durability_;
  Descriptor file_;
};

// The whole file. Throws Error(kNotFound) when it is missing, Error(kEnvironment) when it cannot be read.
std::string read_file(const std::filesystem::path& path);
// fsync of a file or folder. Throws Error(kEnvironment).
void sync_path(const std::filesystem::path& path);

}  // namespace tune

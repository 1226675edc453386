#pragma once
// The one way to open and read files that lie where a trainer or a stranger may have put something else in
// their place: a FIFO, a link to an endless device, a file without end, JSON nested without end.
#include <cstdint>
#include <filesystem>
#include <string>

#include "tuner/core/bounded_json.h"
#include "tuner/os/descriptor.h"

namespace tune {

// A link of the last name of a path. What a trainer leaves is never a link; data that a person names may be.
enum class Links { kRefuse, kFollow };

struct OpenedFile {
  int descriptor = -1;  // for reading, the caller's to close; -1 when there is none
  std::string spoilt;   // what lies there instead of a file, or on the way to it; empty when nothing does
};

// Never waits (for a FIFO's writer). Throws Error(kEnvironment) when the machine, not what lies there, is the
// reason.
OpenedFile open_regular_file(const std::filesystem::path& path, Links links = Links::kRefuse);

// What is open there instead of a regular file: "it is a FIFO, not a regular file"; empty for a regular file.
std::string why_not_regular(int descriptor);

// A pipe of the shell that a person names, as in --spec <(jq ...), once something was written to it or its
// writer is gone. stderr is told of a wait that takes a second. -1, with errno, where it cannot be opened;
// Error(kInterrupted) when a signal that is caught ends the wait.
Descriptor open_pipe(const std::filesystem::path& path);

struct FileContent {
  bool is_there = false;  // and could be read
  std::string bytes;
  std::string spoilt;  // names the file and why it is not read; empty when it was read, or there is none
};

// The bytes from `offset` on. A file that holds more than `most_bytes` behind it is spoilt, and not read.
// Throws Error(kEnvironment) as above.
FileContent read_regular_file(const std::filesystem::path& path, std::uint64_t most_bytes,
                              Links links = Links::kRefuse, std::uint64_t offset = 0);

struct JsonFile {
  bool is_there = false;
  Json value;
  std::string spoilt;  // as of FileContent
};
// The JSON file that lies there.
JsonFile read_json_file(const std::filesystem::path& path, std::uint64_t most_bytes,
                        Links links = Links::kRefuse);

// Opens a file for writing at the end of what it holds, or makes it (mode 0600): a regular file, without
// following a link or waiting for a FIFO's reader. The descriptor, or minus the system's reason (EINVAL for
// what is no file).
int open_regular_file_to_append(const std::filesystem::path& path);
// The same for a file of new content: what lies there is removed first, and a link's target is left alone.
int open_regular_file_anew(const std::filesystem::path& path);

}  // namespace tune

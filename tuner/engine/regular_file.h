#pragma once
// Opens files that lie where a trainer may write, and may have put something else in their place.
#include <filesystem>
#include <string>

namespace tune::engine {

struct OpenedFile {
  int descriptor = -1;  // for reading, the caller's to close; -1 when there is none
  std::string spoilt;   // what lies there instead of a file, or on the way to it; empty when nothing does
};

// Never waits (for a FIFO's writer) and never follows a link. Throws Error(kEnvironment) when the machine,
// not what lies there, is the reason.
OpenedFile open_regular_file(const std::filesystem::path& path);

}  // namespace tune::engine

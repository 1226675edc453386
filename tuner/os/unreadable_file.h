#pragma once
// A file that cannot be read for now.
#include <string>

#include "tuner/core/error.h"

namespace tune {

// The machine or its disk keeps a file from being read, not what lies there, so it may pass. Thrown by all
// that reads files by way of regular_file.h.
class UnreadableFile : public Error {
 public:
  explicit UnreadableFile(const std::string& message)
      : Error(ExitCode::kEnvironment, message, "see to the disk that it lies on") {}
};

}  // namespace tune

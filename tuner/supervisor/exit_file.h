#pragma once
// exit.json, the last act of a supervisor.
#include <filesystem>

#include "tuner/core/exit_record.h"
#include "tuner/os/descriptor.h"

namespace tune::supervisor {

// Room on the disk that is taken at the start, so that the outcome can be recorded when nothing else can be
// written. Owned by the supervisor, on its only thread.
class ExitFile {
 public:
  explicit ExitFile(const std::filesystem::path& folder);
  // Writes the record and renames the file to exit.json. 0, or the system's reason; may be tried again.
  int write(const ExitRecord& record);

 private:
  bool reserve();
  std::filesystem::path part_, final_;
  Descriptor file_;
};

}  // namespace tune::supervisor

#pragma once
// exit.json, the last act of a supervisor.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "tuner/os/descriptor.h"

namespace tune::supervisor {

struct ExitRecord {
  std::string token;
  std::optional<int> exit_code, signal;
  std::string stop, failure;
  std::optional<int> start_error;  // the system's reason (errno) why the trainer could not be started
  bool out_of_memory = false;      // the kernel has killed a process for memory meanwhile
  double wall_seconds = 0, cpu_seconds = 0;
  std::uint64_t max_rss_bytes = 0, cut_lines = 0, metrics = 0;
};

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

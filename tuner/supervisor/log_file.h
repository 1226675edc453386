#pragma once
// An attempt's log: the first and the last 16 MB of what a trainer prints, in bounded memory and bounded
// disk.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/os/descriptor.h"

namespace tune::supervisor {

// Owned by the supervisor, on its only thread. Never throws; write errors are errno values, so that a full
// disk can be waited for. The layout on disk is described in tuner/core/attempt_layout.h.
class LogFile {
 public:
  explicit LogFile(std::filesystem::path folder);

  // Writes a prefix of `bytes` and removes it from the view. 0, or the system's reason why the rest is not
  // written.
  int append(std::string_view& bytes);
  // Moves the tail behind the head, so that one file is left. When there is no room the segments stay;
  // readers know both.
  void finish();

 private:
  struct Segment {
    std::filesystem::path path;
    std::uint64_t start = 0;
  };
  int open_next_segment();
  bool copy_tail(int log) const;

  std::filesystem::path folder_;
  Descriptor head_, tail_;
  std::uint64_t total_ = 0;
  std::vector<Segment> segments_;  // at most two, the last one is open
};

}  // namespace tune::supervisor

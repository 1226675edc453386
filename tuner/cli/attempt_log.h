#pragma once
// An attempt's log as one stream, while it is written and afterwards.
#include <cstdint>
#include <filesystem>
#include <string>

namespace tune::cli {

// Reads on from where it stopped: the head in `log`, then the segments behind it, or the tail that was moved
// into `log` at the end (tuner/core/attempt_layout.h). What was dropped in between is named in a line of its
// own. Memory is bounded.
class AttemptLog {
 public:
  explicit AttemptLog(std::filesystem::path folder) : folder_(std::move(folder)) {}
  // The next bytes, at most 256 KiB; empty when there are no more now.
  std::string read_more();

 private:
  std::string read_head();
  std::string read_segments(bool& found);
  std::string read_moved_tail();

  std::filesystem::path folder_;
  std::uint64_t offset_ = 0;  // in the whole output
};

}  // namespace tune::cli

#pragma once
// An attempt's log as its supervisor leaves it: its first and last megabytes, with a line in between that
// says how many bytes were dropped.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tune::engine {

// Reads a log from its start, also while it grows. Owned by its user; not thread-safe; writes nothing.
class AttemptLog {
 public:
  // From `position` on, in all that the trainer has printed.
  explicit AttemptLog(std::filesystem::path attempt_folder, std::uint64_t position = 0)
      : folder_(std::move(attempt_folder)), position_(position) {}
  // What comes next, at most `limit` bytes (or one marker line); empty when there is nothing new.
  std::string read(std::size_t limit = 1 << 20);
  std::uint64_t position() const { return position_; }  // of what comes next

 private:
  std::string read_tail_segments(std::size_t limit, bool& any);
  std::string read_finished(std::size_t limit);
  std::string skip_to(std::uint64_t position);

  std::filesystem::path folder_;
  std::uint64_t position_;
};

// How much the trainer has printed so far, in bytes, dropped ones included.
std::uint64_t printed_bytes(const std::filesystem::path& attempt_folder);

inline constexpr std::size_t kLogEnd = 4096;  // of a log: where a program that ran out of memory says so

// What a log ends with, at most `limit` bytes.
std::string log_end(const std::filesystem::path& attempt_folder, std::size_t limit);
// The last line that is not blank, as it looks on a terminal, at most `limit` bytes of it; of an error of our
// programs what has happened, not what can be done about it, and of a trial on several nodes which part of it
// ended first. For reasons of failures.
std::string last_log_line(const std::filesystem::path& attempt_folder, std::size_t limit = 200);

// How trials failed, without what differs from trial to trial: digits and what hangs on them stand as '#'.
std::string masked(std::string_view text);
// The lines, the last at the end, with which all of these attempts' logs end, up to numbers in them: as the
// last attempt's log has them, ten at most. Empty when they differ or there are none.
std::vector<std::string> shared_log_end(const std::vector<std::filesystem::path>& attempt_folders);

}  // namespace tune::engine

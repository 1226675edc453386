#pragma once
// Metrics out of log lines: the spec's regexes (RE2, linear time) and TUNE_METRIC lines.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/history.h"
#include "tuner/core/spec.h"

namespace tune::metrics {

inline constexpr std::size_t kLineLimit = 64 * 1024;  // bytes; the rest of a longer line is cut

struct Match {
  std::string name;
  MetricPoint point;
  std::string warning = {};  // said once a metric: its regex reads only a part of a number
};

// Reads lines one by one and counts steps. Not thread-safe.
class MetricReader {
 public:
  // `steps_done`: by metric, the last step of earlier attempts; counting goes on from there.
  // Throws Error(kBadSpec) for a regex that regex_objection() objects to.
  explicit MetricReader(const std::vector<MetricDefinition>& definitions,
                        std::map<std::string, std::int64_t> steps_done = {});
  ~MetricReader();
  // The metrics on one line (no newline; a trailing '\r' is dropped). A line may match several metrics, each
  // once.
  std::vector<Match> read(std::string_view line);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Cuts a byte stream into lines at '\n' and at a lone '\r' (progress bars), at most kLineLimit bytes each;
// what is over is cut and counted. Memory is bounded by kLineLimit.
class LineSplitter {
 public:
  template <typename OnLine>  // OnLine(std::string_view)
  void feed(std::string_view bytes, OnLine&& on_line);
  template <typename OnLine>
  void finish(OnLine&& on_line);  // the unterminated last line, if any
  std::uint64_t cut_lines() const { return cut_lines_; }

 private:
  std::string partial_;
  bool overflowed_ = false;
  std::uint64_t cut_lines_ = 0;
};

template <typename OnLine>
void LineSplitter::feed(std::string_view bytes, OnLine&& on_line) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find_first_of("\r\n");
    const std::string_view piece = bytes.substr(0, end);
    const std::size_t room = kLineLimit - partial_.size();
    if (piece.size() > room && !overflowed_) overflowed_ = true, ++cut_lines_;
    partial_.append(piece.substr(0, room));
    if (end == std::string_view::npos) return;
    if (!partial_.empty()) on_line(std::string_view(partial_));
    partial_.clear();
    overflowed_ = false;
    bytes.remove_prefix(end + 1);
  }
}

template <typename OnLine>
void LineSplitter::finish(OnLine&& on_line) {
  if (!partial_.empty()) on_line(std::string_view(partial_));
  partial_.clear();
  overflowed_ = false;
}

}  // namespace tune::metrics

#pragma once
// What a trainer prints, on its way to the disk: the log, and the metric lines in metrics.jsonl.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "tuner/core/line_splitter.h"
#include "tuner/metrics/metric_reader.h"
#include "tuner/os/descriptor.h"
#include "tuner/supervisor/launch.h"
#include "tuner/supervisor/log_file.h"

namespace tune::supervisor {

enum class Stream { kOut = 0, kErr = 1 };

// Owned by the supervisor, on its only thread. Holds at most one chunk of each stream: the supervisor reads
// on only while nothing is pending, so a full disk slows the trainer and loses nothing. Starts no process and
// reads no pipe.
class AttemptOutput {
 public:
  explicit AttemptOutput(const Launch& launch);

  // Takes a chunk of a stream. Only while !is_pending().
  void take(Stream stream, std::string_view bytes);
  // The last lines, which end without a newline.
  void take_end();
  bool is_pending() const { return !pending_log_.empty() || !pending_metrics_.empty(); }
  // Writes what is pending. On a full disk it stays pending while it `may_wait`. For another error, and when
  // it may not wait, failure() is set and from then on everything is dropped.
  void flush(bool may_wait);
  void finish_log() { log_.finish(); }

  const std::string& failure() const { return failure_; }
  std::uint64_t metrics() const { return metrics_; }
  std::uint64_t metrics_bytes() const { return metrics_bytes_; }  // that are on the disk
  std::uint64_t cut_lines() const { return splitters_[0].cut_lines() + splitters_[1].cut_lines(); }

 private:
  void on_line(std::string_view line);
  void add_notices();
  // Begins and ends a line of metrics.jsonl about a metric.
  std::string& begin_record(const std::string& metric);
  void end_record();
  int write_metrics();
  void fail(const std::string& reason);

  std::filesystem::path metrics_path_;
  std::string line_start_;  // {"token":"...","name":
  metrics::MetricReader reader_;
  std::array<LineSplitter, 2> splitters_;
  LogFile log_;
  Descriptor metrics_file_;
  std::string pending_log_, pending_metrics_;
  std::uint64_t metrics_ = 0, metrics_bytes_ = 0;
  std::string failure_;
};

}  // namespace tune::supervisor

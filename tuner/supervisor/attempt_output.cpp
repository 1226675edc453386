#include "tuner/supervisor/attempt_output.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/clock.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/os/regular_file.h"

namespace tune::supervisor {
namespace {

std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

AttemptOutput::AttemptOutput(const Launch& launch)
    : metrics_path_(launch.folder / kMetricsFile),
      line_start_("{\"token\":" + Json(launch.token).dump() + ",\"name\":"),
      reader_(launch.metrics, {launch.steps_done, launch.steps_counted}),
      log_(launch.folder) {}

void AttemptOutput::take(Stream stream, std::string_view bytes) {
  if (!failure_.empty()) return;
  pending_log_.append(bytes);
  splitters_[static_cast<std::size_t>(stream)].feed(bytes, [this](std::string_view line) { on_line(line); });
}

void AttemptOutput::take_end() {
  if (!failure_.empty()) return;
  for (LineSplitter& splitter : splitters_) splitter.finish([this](std::string_view line) { on_line(line); });
  reader_.finish();
  add_notices();
}

void AttemptOutput::on_line(std::string_view line) {
  for (const metrics::Match& match : reader_.read(line)) {
    begin_record(match.name)
        .append(",\"value\":")
        .append(number_to_json(match.point.value).dump())
        .append(",\"step\":")
        .append(std::to_string(match.point.step));
    end_record();
    ++metrics_;
  }
  for (const metrics::Unread& unread : reader_.unread()) {
    begin_record(unread.name).append(",\"unread\":").append(quoted(unread.text));
    end_record();
  }
  add_notices();
}

void AttemptOutput::add_notices() {
  for (const metrics::Notice& notice : reader_.take_notices()) {
    begin_record(notice.metric)
        .append(",\"about\":")
        .append(quoted(notice.about))
        .append(",\"notice\":")
        .append(quoted(notice.text));
    end_record();
  }
}

std::string& AttemptOutput::begin_record(const std::string& metric) {
  return pending_metrics_.append(line_start_).append(quoted(metric));
}

void AttemptOutput::end_record() {
  pending_metrics_.append(",\"time_ms\":")
      .append(std::to_string(SystemClock().wall_now().time_since_epoch().count()))
      .append("}\n");
}

int AttemptOutput::write_metrics() {
  if (metrics_file_.get() < 0) {
    // The trainer, which may write here too, has run for a while.
    const int opened = open_regular_file_to_append(metrics_path_);
    if (opened < 0) return -opened;
    metrics_file_ = Descriptor(opened);
  }
  while (!pending_metrics_.empty()) {
    const ssize_t written = ::write(metrics_file_.get(), pending_metrics_.data(), pending_metrics_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    pending_metrics_.erase(0, static_cast<std::size_t>(written));
    metrics_bytes_ += static_cast<std::uint64_t>(written);
  }
  return 0;
}

void AttemptOutput::flush(bool may_wait) {
  if (!is_pending()) return;
  // Metrics first: where space is short they are worth more than the log.
  const char* file = kMetricsFile;
  int error = pending_metrics_.empty() ? 0 : write_metrics();
  if (error == 0 && metrics_bytes_ > kMetricsLimit)
    return fail(std::string(kMetricsFile) + " is over " + std::to_string(kMetricsLimit >> 20) +
                " MB: the trainer prints metric lines without end");
  if (error == 0 && !pending_log_.empty()) {
    file = kLogFile;
    std::string_view rest = pending_log_;
    error = log_.append(rest);
    pending_log_.erase(0, pending_log_.size() - rest.size());
  }
  if (error == 0 || (is_disk_full(error) && may_wait)) return;
  fail("cannot append to \"" + (metrics_path_.parent_path() / file).string() + "\": " + std::strerror(error));
}

void AttemptOutput::fail(const std::string& reason) {
  failure_ = reason;
  pending_log_.clear();
  pending_metrics_.clear();
}

}  // namespace tune::supervisor

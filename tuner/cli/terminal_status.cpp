#include "tuner/cli/terminal_status.h"

#include <algorithm>
#include <ostream>

#include "tuner/core/number_text.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/table.h"

namespace tune::cli {
namespace {

using engine::StatusEvent;
using engine::StatusKind;

constexpr Milliseconds kFrameTime{240};  // a little under the 250 ms at which the loop ticks
constexpr int kReservedRows = 4;         // of the window, left to the lines above the area
constexpr const char* kEraseToLineEnd = "\x1b[K";
constexpr const char* kEraseBelow = "\x1b[J";

const char* sgr(const StatusEvent& event, const StudyProgress& before) {
  const bool has_ended = event.kind == StatusKind::kTrialFinished;
  if (has_ended && event.state == TrialState::kFailed) return "\x1b[31m";
  if (has_ended && event.state == TrialState::kStopped) return "\x1b[33m";
  if (before.is_new_best(event) || event.kind == StatusKind::kPromotion) return "\x1b[32m";
  if (event.kind == StatusKind::kNotice || event.kind == StatusKind::kRequest ||
      event.kind == StatusKind::kDraining)
    return "\x1b[33m";
  return "";
}

std::string step_text(const StudyProgress& progress, const MetricPoint& point) {
  const std::string step = std::to_string(point.step);
  return progress.last_step() ? "epoch " + step + '/' + std::to_string(*progress.last_step())
                              : "step " + step;
}

std::string running_line(const StudyProgress& progress, int trial, const StudyProgress::Running& running) {
  std::string line = "  trial " + std::to_string(trial);
  if (running.attempt > 1) line += '.' + std::to_string(running.attempt);
  if (running.point)
    line += "  " + step_text(progress, *running.point) + "  " + running.metric + ' ' +
            number_text(running.point->value);
  else
    line += "  starting";
  line += "  " + (running.devices.empty() ? "cpu" : short_devices(running.devices)) + "  ";
  return line + whole_seconds(progress.now() - running.since);
}

// On a narrow terminal the study's name goes before the numbers do.
std::string named_totals(const StudyProgress& progress, std::size_t width) {
  constexpr std::size_t kWorthShowing = 8;
  const std::string totals = totals_line(progress);
  const std::size_t taken = report::display_width(totals) + 2;
  if (taken + kWorthShowing > width) return totals;
  return report::cut_to_width(progress.study(), width - taken) + ": " + totals;
}

}  // namespace

TerminalStatus::TerminalStatus(std::ostream& out, StudyProgress progress, TerminalSizeFunction size,
                               bool color)
    : out_(out), progress_(std::move(progress)), size_(std::move(size)), color_(color) {}

TerminalStatus::~TerminalStatus() { draw(false); }

void TerminalStatus::on_event(const StatusEvent& event) {
  const std::string line = words_.line(event, progress_);
  const std::string colour = color_ ? sgr(event, progress_) : "";
  progress_.apply(event);
  // The live area shows that a trial has started.
  const bool is_shown = event.kind == StatusKind::kAttemptStarted && event.attempt <= 1;
  if (!line.empty() && !is_shown) pending_.push_back(colour.empty() ? line : colour + line + "\x1b[0m");
  on_tick(progress_.now());
}

void TerminalStatus::on_tick(SteadyTime now) {
  if (now - last_draw_ < kFrameTime) return;
  last_draw_ = now;
  draw(true);
}

std::vector<std::string> TerminalStatus::frame(const TerminalSize& size) const {
  const auto width = static_cast<std::size_t>(std::max(1, size.columns - 1));  // the last column would wrap
  const auto room = static_cast<std::size_t>(std::max(1, size.rows - kReservedRows));
  const std::size_t running = progress_.running().size();
  const std::size_t shown = running <= room ? running : room - 1;
  std::vector<std::string> lines;
  for (const auto& [trial, state] : progress_.running()) {
    if (lines.size() == shown) break;
    lines.push_back(running_line(progress_, trial, state));
  }
  if (shown < running) lines.push_back("  and " + std::to_string(running - shown) + " more");
  lines.push_back(named_totals(progress_, width));
  for (std::string& line : lines) line = report::cut_to_width(one_line(line), width);
  return lines;
}

std::string TerminalStatus::erased() const {
  if (drawn_.empty()) return "\r";
  // A window that became narrower has wrapped the old lines: they take more rows than there were lines.
  const auto columns = static_cast<std::size_t>(std::max(1, size_().columns));
  std::size_t rows = 0;
  for (const std::size_t width : drawn_) rows += std::max<std::size_t>(1, (width + columns - 1) / columns);
  return "\r\x1b[" + std::to_string(rows) + "A";
}

void TerminalStatus::draw(bool live) {
  // One write for the whole frame, each line erased only behind its new text: nothing is ever seen half-drawn
  // or blank.
  std::string bytes = erased();
  for (const std::string& line : pending_) bytes += line + kEraseToLineEnd + '\n';
  pending_.clear();
  drawn_.clear();
  if (live) {
    for (const std::string& line : frame(size_())) {
      bytes += line + kEraseToLineEnd + '\n';
      drawn_.push_back(report::display_width(line));
    }
  }
  bytes += kEraseBelow;
  out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out_.flush();
  out_.clear();  // a terminal that went away must not end the study
}

}  // namespace tune::cli

#include "tuner/cli/plain_status.h"

#include <ostream>

namespace tune::cli {
namespace {

constexpr std::chrono::seconds kTotalsEvery{30};

}  // namespace

PlainStatus::PlainStatus(std::ostream& out, StudyProgress progress)
    : out_(out), progress_(std::move(progress)), last_print_(progress_.now()) {}

void PlainStatus::print(const std::string& line) {
  // As one text, since stderr has no buffer: so the lines of two programs that write to it stay whole.
  out_ << "[" + whole_seconds(progress_.elapsed()) + "] " + line + "\n";
  out_.flush();
  out_.clear();  // its reader may be gone; the study goes on
}

void PlainStatus::on_event(const engine::StatusEvent& event) {
  const std::string line = words_.line(event, progress_);
  progress_.apply(event);
  changed_ = true;
  if (!line.empty()) print(line);
}

void PlainStatus::on_tick(SteadyTime now) {
  if (!changed_ || now - last_print_ < kTotalsEvery) return;
  last_print_ = now;
  changed_ = false;
  print(totals_line(progress_));
}

}  // namespace tune::cli

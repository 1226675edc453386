#include "trainer/loop/progress_lines.h"

#include <cmath>
#include <cstdio>
#include <ostream>
#include <string>

namespace tune::trainer::loop {
namespace {

constexpr std::chrono::seconds kPlainInterval{10};
constexpr std::chrono::milliseconds kTerminalInterval{200};

std::string fixed(double number, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, number);
  return text;
}

std::string duration(double seconds) {
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 60) return std::to_string(whole) + "s";
  if (whole < 3600) return std::to_string(whole / 60) + "m" + std::to_string(whole % 60) + "s";
  return std::to_string(whole / 3600) + "h" + std::to_string(whole / 60 % 60) + "m";
}

}  // namespace

void ProgressLines::resume() {
  if (running_) return;
  resumed_ = Clock::now();
  running_ = true;
}

void ProgressLines::pause() {
  if (running_) trained_ += Clock::now() - resumed_;
  running_ = false;
}

double ProgressLines::training_seconds() const {
  const Clock::duration current = running_ ? Clock::now() - resumed_ : Clock::duration{};
  return std::chrono::duration<double>(trained_ + current).count();
}

void ProgressLines::batch_done(std::int64_t epoch, std::int64_t epochs, std::int64_t done,
                               std::int64_t total_batches, std::int64_t units) {
  const auto now = Clock::now();
  if (is_terminal_ ? now - last_shown_ < kTerminalInterval : now - last_shown_ < kPlainInterval) return;
  last_shown_ = now;
  const double seconds = training_seconds();
  const double left = seconds / static_cast<double>(done) * static_cast<double>(total_batches - done);
  const std::string line = "epoch " + std::to_string(epoch) + "/" + std::to_string(epochs) + "  " +
                           fixed(static_cast<double>(units) / seconds, 1) + " " + unit_ + "/s  ETA " +
                           duration(left);
  if (is_terminal_)
    err_ << '\r' << line << "\x1b[K" << std::flush;
  else
    err_ << line + "\n" << std::flush;
  line_open_ = is_terminal_;
}

void ProgressLines::clear_line() {
  if (line_open_) err_ << "\r\x1b[K";
  line_open_ = false;
}

void ProgressLines::epoch_done(std::int64_t epoch, std::int64_t epochs, std::int64_t units, double for_data) {
  clear_line();
  const double seconds = training_seconds();
  // In one piece: stderr keeps nothing back, and stdout's lines may go to the same file.
  std::string line = "epoch " + std::to_string(epoch) + "/" + std::to_string(epochs) + " done";
  if (units > 0 && seconds > 0)
    line += "  " + fixed(static_cast<double>(units) / seconds, 1) + " " + unit_ + "/s";
  line += "  " + duration(seconds) + " of training";
  const double share = seconds > 0 ? 100 * for_data / seconds : 0;
  if (share >= 1) line += ", " + fixed(share, 0) + " % of it for data";
  err_ << line + "\n" << std::flush;
}

}  // namespace tune::trainer::loop

#pragma once
// What a person sees of a run on stderr.
#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace tune::trainer::loop {

// Owned by the training loop. One line that is rewritten on a terminal; elsewhere a plain line at most every
// few seconds.
class ProgressLines {
 public:
  // `unit` is what speeds count: "images".
  ProgressLines(std::ostream& err, bool is_terminal, std::string unit)
      : err_(err), is_terminal_(is_terminal), unit_(std::move(unit)) {}
  // `total_batches` are those that this process will train, `done` of which it has trained. `units` since
  // the start.
  void batch_done(std::int64_t epoch, std::int64_t epochs, std::int64_t done, std::int64_t total_batches,
                  std::int64_t units);
  // `for_data`: seconds of training since the start in which the step waited for its batch.
  void epoch_done(std::int64_t epoch, std::int64_t epochs, std::int64_t units, double for_data);
  // Evaluation and checkpoints are not training: what they take is left out of the speed.
  void pause();
  void resume();

 private:
  using Clock = std::chrono::steady_clock;
  double training_seconds() const;
  void clear_line();

  std::ostream& err_;
  bool is_terminal_;
  std::string unit_;
  bool line_open_ = false, running_ = false;
  Clock::time_point resumed_, last_shown_ = Clock::now();
  Clock::duration trained_{};
};

}  // namespace tune::trainer::loop

#pragma once
// SIGTERM and SIGINT: as a flag that the training loop looks at between batches, or as an end at once.
#include <csignal>

namespace tune::trainer::loop {

// From now on SIGTERM and the first SIGINT only set the flag; a second SIGINT ends the program at once.
void catch_stop_signals();
bool stop_requested();

// While it lives, SIGTERM and SIGINT end the program at once, with exit code 130: for work that leaves
// nothing behind, such as reading. Then what was there before goes on.
class EndOnSignal {
 public:
  EndOnSignal();  // throws Error(kInterrupted) where a signal was caught before
  ~EndOnSignal();
  EndOnSignal(const EndOnSignal&) = delete;
  EndOnSignal& operator=(const EndOnSignal&) = delete;

 private:
  struct sigaction terminate_ = {}, interrupt_ = {};
};

}  // namespace tune::trainer::loop

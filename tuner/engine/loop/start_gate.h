#pragma once
// Whether attempts may be started, after what kept the last ones from it.
#include <optional>
#include <string>

#include "tuner/core/clock.h"
#include "tuner/engine/attempt/fault.h"

namespace tune::engine {

// Owned by the loop, on its thread. It starts nothing, and says what is to be told to people. What is lacking
// may come back by itself: each further try waits twice as long, up to a minute, and after `tries` of them,
// when nothing of this study runs whose end could help, it is the end of starting. So is what somebody has to
// mend.
class StartGate {
 public:
  explicit StartGate(const Clock& clock) : clock_(clock), retry_at_(clock.steady_now()) {}

  bool is_open() const { return !trouble_ && clock_.steady_now() >= retry_at_; }
  // Something kept an attempt from being started, while `running` others run.
  struct Word {
    std::string notice;    // empty: nothing is to be said
    bool repeats = false;  // it may have been said before, and once is enough
  };
  Word on_fault(const Fault& fault, int running);
  // An attempt has ended that had been started.
  void on_end() { lacks_ = 0; }
  // Why nothing is started any more in this run.
  const std::optional<Fault>& trouble() const { return trouble_; }

 private:
  const Clock& clock_;
  SteadyTime retry_at_;
  int lacks_ = 0;  // tries in a row for which something was lacking
  std::optional<Fault> trouble_;
};

}  // namespace tune::engine

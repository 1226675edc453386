#pragma once
// When a trainer that prints nothing, or no metric, is worth a word, and when it is ended.
#include <algorithm>
#include <optional>

#include "tuner/core/clock.h"

namespace tune::supervisor {

// How long nothing of a kind has come from the trainer. What is long is measured against what was usual.
class Silence {
 public:
  // `limit` ends the attempt; `notice` is worth a word, unless the trainer was silent for a third of it
  // before.
  Silence(std::optional<Milliseconds> limit, Milliseconds notice) : limit_(limit), notice_(notice) {}
  void begin(SteadyTime now) { since_ = now; }
  void heard(SteadyTime now);
  // Time that the trainer could not be heard in.
  void excuse(SteadyTime::duration time) { since_ += time; }
  bool is_over(SteadyTime now) const { return limit_ && now - since_ >= *limit_; }
  bool takes_notice(SteadyTime now);  // once
  SteadyTime due() const;             // when to look again
  const std::optional<Milliseconds>& limit() const { return limit_; }

 private:
  Milliseconds patience() const { return std::max(notice_, 3 * longest_); }
  std::optional<Milliseconds> limit_;
  Milliseconds notice_, longest_{0};
  SteadyTime since_;
  bool was_told_ = false;
};

}  // namespace tune::supervisor

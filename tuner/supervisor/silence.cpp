#include "tuner/supervisor/silence.h"

namespace tune::supervisor {

void Silence::heard(SteadyTime now) {
  longest_ = std::max(longest_, std::chrono::duration_cast<Milliseconds>(now - since_));
  since_ = now;
}

bool Silence::takes_notice(SteadyTime now) {
  if (was_told_ || now - since_ < patience()) return false;
  return was_told_ = true;
}

SteadyTime Silence::due() const {
  SteadyTime next = was_told_ ? SteadyTime::max() : since_ + patience();
  if (limit_) next = std::min(next, since_ + *limit_);
  return next;
}

}  // namespace tune::supervisor

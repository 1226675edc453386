#include "tuner/engine/poison_guard.h"

namespace tune::engine {
namespace {
constexpr Milliseconds kEarly{10'000};  // a trainer that lived longer has at least begun its work
}

void PoisonGuard::on_end(TrialState state, const std::string& failure, Milliseconds lasted) {
  if (state != TrialState::kFailed) {
    ever_succeeded_ = true;
    return;
  }
  if (lasted > kEarly) {
    in_a_row_ = 0;
    return;
  }
  in_a_row_ = failure == failure_ ? in_a_row_ + 1 : 1;
  failure_ = failure;
}

std::optional<std::string> PoisonGuard::verdict() const {
  if (ever_succeeded_ || in_a_row_ < limit_) return std::nullopt;
  return std::to_string(in_a_row_) + " trials in a row failed at once, and none succeeded";
}

}  // namespace tune::engine

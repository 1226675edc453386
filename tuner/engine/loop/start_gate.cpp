#include "tuner/engine/loop/start_gate.h"

namespace tune::engine {
namespace {

constexpr Milliseconds kFirstWait{1'000};
constexpr Milliseconds kLongestWait{60'000};

}  // namespace

StartGate::Word StartGate::on_fault(const Fault& fault, int running) {
  SteadyTime::duration wait = kFirstWait;
  if (fault.kind == Fault::Kind::kLack) {
    for (int i = 0; i < lacks_ && wait < kLongestWait; ++i) wait *= 2;
    ++lacks_;
  }
  retry_at_ = clock_.steady_now() + wait;
  if (fault.kind == Fault::Kind::kSlot) return {};
  if (fault.kind == Fault::Kind::kLack && (lacks_ < fault.tries || running > 0))
    return {"no trial is started for now, and it is tried again: " + fault.message, true};
  if (trouble_) return {};
  trouble_ = fault;
  if (running == 0) return {};
  return {"nothing new is started, and the study pauses once the running trials have ended: " +
          fault.message};
}

}  // namespace tune::engine

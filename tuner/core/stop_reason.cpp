#include "tuner/core/stop_reason.h"

#include "tuner/core/enum_text.h"

namespace tune {
namespace {

constexpr EnumTexts<StopReason, 16> kStopReasons{{{StopReason::kRule, "rule"},
                                                  {StopReason::kPerson, "person"},
                                                  {StopReason::kPause, "pause"},
                                                  {StopReason::kDrain, "drain"},
                                                  {StopReason::kTimeLimit, "time limit"},
                                                  {StopReason::kDeviceTimeLimit, "device time limit"},
                                                  {StopReason::kCostLimit, "cost limit"},
                                                  {StopReason::kTarget, "target reached"},
                                                  {StopReason::kUnheard, "supervisor unheard"},
                                                  {StopReason::kOrphaned, "orchestrator died"},
                                                  {StopReason::kTimeout, "timeout"},
                                                  {StopReason::kNoOutput, "no output"},
                                                  {StopReason::kNoMetric, "no metric"},
                                                  {StopReason::kTerminated, "terminated"},
                                                  {StopReason::kJobTime, "job time limit"},
                                                  {StopReason::kLost, "lost"}}};

}  // namespace

const char* to_string(StopReason reason) { return text_of(kStopReasons, reason); }

StopReason stop_reason_from_string(const std::string& text) {
  return value_of(kStopReasons, text, "reason to stop an attempt");
}

}  // namespace tune

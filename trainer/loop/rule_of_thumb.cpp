#include "trainer/loop/rule_of_thumb.h"

namespace tune::trainer::loop {
namespace {

std::int64_t numbers_of_state(const OptimizerSettings& optimizer) {
  switch (optimizer.kind) {
    case OptimizerKind::kSgd:
      return optimizer.momentum > 0 ? 1 : 0;
    case OptimizerKind::kAdagrad:
      return 1;
    case OptimizerKind::kRmsprop:
      return optimizer.momentum > 0 ? 2 : 1;
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamW:
    case OptimizerKind::kAdadelta:
      return 2;
  }
  return 0;
}

}  // namespace

RuleOfThumb rule_of_thumb(std::int64_t parameters, std::int64_t trained, Precision precision,
                          const OptimizerSettings& optimizer) {
  const std::int64_t bytes = precision == Precision::kBf16 ? 2 : 4;
  return {parameters * bytes, trained * bytes, trained * bytes * numbers_of_state(optimizer)};
}

OrderedJson to_json(const RuleOfThumb& rule) {
  return {{"method", "simple"},
          {"weights_bytes", rule.weights},
          {"gradients_bytes", rule.gradients},
          {"optimizer_bytes", rule.optimizer},
          {"total_bytes", rule.total()}};
}

}  // namespace tune::trainer::loop

#pragma once
// The rule by which people reckon the memory of a fine-tuning in their heads.
#include <cstdint>

#include "trainer/loop/device.h"
#include "trainer/loop/optimizer.h"
#include "tuner/core/json.h"

namespace tune::trainer::loop {

// Bytes. Activations, logits and libraries are not in it.
struct RuleOfThumb {
  std::int64_t weights = 0, gradients = 0, optimizer = 0;
  std::int64_t total() const { return weights + gradients + optimizer; }
};

// Weights are parameters times 4 bytes (fp32) or 2 (bf16); gradients the same once more, Adam's and AdamW's
// state twice, that of SGD with momentum, RMSprop and Adagrad once, Adadelta's twice; of gradients and state
// the share of the parameters that is trained. A model of 7e9 in bf16 with AdamW: 14 + 14 + 28 = 56 GB whole,
// and with a fifth of it trained 22.4 GB.
RuleOfThumb rule_of_thumb(std::int64_t parameters, std::int64_t trained, Precision precision,
                          const OptimizerSettings& optimizer);
OrderedJson to_json(const RuleOfThumb& rule);

}  // namespace tune::trainer::loop

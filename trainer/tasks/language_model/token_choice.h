#pragma once
// Which token comes next, out of the logits of all of them.
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "trainer/served/generation_settings.h"
#include "tuner/core/rng.h"

namespace tune::trainer::language_model {

using served::GenerationSettings;

// What was there before, for penalties.
struct TokensBefore {
  std::span<const std::int64_t> prompt;
  const std::map<std::int64_t, int>& written;  // how often
};

// `logits` are changed where the settings ask for penalties. Without a temperature the most probable one, the
// first of equals; else one is drawn. Throws Error(kInternal) for numbers that nothing can be drawn from.
std::int64_t next_token(std::span<float> logits, const GenerationSettings& settings,
                        const TokensBefore& before, Rng& rng);

// log(sum(exp(logits))): what a logit is above its log-probability.
double log_total(std::span<const float> logits);
// The `count` largest, by falling logit; of equals the first.
std::vector<std::int64_t> largest_logits(std::span<const float> logits, std::size_t count);

}  // namespace tune::trainer::language_model

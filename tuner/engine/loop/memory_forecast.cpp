#include "tuner/engine/loop/memory_forecast.h"

#include <cmath>

namespace tune::engine {
namespace {

// One trial in twenty takes more than the model's 95 % quantile if the model is right, and a tenth goes
// beside that for what it does not see: fragments, and a library that takes its own workspace. A trial that
// takes more all the same has more set aside as soon as that is seen, and one that fails for it runs again by
// itself.
constexpr double kDeviations = 1.645;
constexpr double kMargin = 1.1;

}  // namespace

MemoryForecast::MemoryForecast(const Spec& spec, const store::StudyStore& store)
    : spec_(spec), model_(spec.space) {
  if (!spec.resources.packs_gpus) return;
  for (const store::AttemptRow& attempt : store.attempts())
    if (attempt.ended)
      if (const auto trial = store.trial(attempt.trial)) add(trial->parameters, attempt.facts);
}

void MemoryForecast::add(const ParameterSet& parameters, const store::AttemptFacts& facts) {
  // One that lacked memory took less than it needed.
  if (!facts.peak_device_memory || *facts.peak_device_memory == 0 || facts.failure.starts_with("oom")) return;
  model_.add(parameters, facts.overrides, static_cast<double>(*facts.peak_device_memory));
}

std::optional<std::uint64_t> MemoryForecast::most(const ParameterSet& parameters,
                                                  const Json& overrides) const {
  const auto forecast = model_.predict(parameters, overrides);
  if (!forecast) return std::nullopt;
  const double bytes = std::exp(forecast->log_mean + kDeviations * forecast->log_deviation) * kMargin;
  // More than any device has: the trial will have one to itself.
  constexpr double kBeyond = 1e15;
  if (!(bytes < kBeyond)) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

std::optional<std::uint64_t> MemoryForecast::least() const {
  const auto bytes = model_.least();
  return bytes ? std::optional(static_cast<std::uint64_t>(*bytes)) : std::nullopt;
}

}  // namespace tune::engine

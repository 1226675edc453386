#include "tuner/spec/retry.h"

#include <optional>

namespace tune {
namespace {

constexpr std::int64_t kLargest = 2'147'483'647;  // what every program takes for a whole number

// nullopt where the value cannot be rescaled: it is no whole number from 1, or there is none half as large.
std::optional<Json> rescaled(const Json& value, Rescale by) {
  if (!value.is_number_integer() || value < 1) return std::nullopt;
  const auto number = value.get<std::int64_t>();
  if (by == Rescale::kDouble) return number > kLargest / 2 ? std::nullopt : std::optional<Json>(2 * number);
  return number == 1 ? std::nullopt : std::optional<Json>(number / 2);
}

// The values after one step; nullopt where it changes nothing. All of a step is made or none: half a batch
// without twice the accumulation would be another training.
std::optional<ParameterSet> after(const RetryStep& step, const ParameterSet& values) {
  ParameterSet changed = values;
  for (const Replacement& replacement : step) {
    const auto place = changed.find(replacement.name);
    if (place == changed.end()) continue;  // not active in this trial
    if (const auto* value = std::get_if<Json>(&replacement.by)) {
      place->second = *value;
      continue;
    }
    auto value = rescaled(place->second, std::get<Rescale>(replacement.by));
    if (!value) return std::nullopt;
    place->second = std::move(*value);
  }
  return changed == values ? std::nullopt : std::optional(std::move(changed));
}

}  // namespace

Climbed climb(const std::vector<RetryStep>& ladder, const ParameterSet& values, int times) {
  ParameterSet reached = values;
  int done = 0;
  for (const RetryStep& step : ladder) {
    if (done == times) break;
    if (auto next = after(step, reached)) reached = std::move(*next), ++done;
  }
  Climbed climbed;
  climbed.is_at_end = done < times;
  for (const auto& [name, value] : reached)
    if (value != values.at(name)) climbed.replaced.emplace(name, value);
  return climbed;
}

}  // namespace tune

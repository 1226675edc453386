#pragma once
// What is recorded about a trial and about an attempt beside their states: where a trial comes from and why
// it was suggested, what an attempt ran with and took. Values, each with one pair of to_json and from_json,
// which agree exactly: what was read is written again as it was. from_json throws std::exception for what
// this program never writes.
#include <cstdint>
#include <optional>

#include "tuner/core/json.h"

namespace tune::store {

// Both keep in `other` the members that this version does not know, or that are null.

struct TrialFacts {
  std::optional<int> replicate_of;     // the trial whose hyperparameters it has, on another seed
  std::optional<int> rerun_of;         // the trial that it repeats exactly, with its seed
  std::optional<double> step_seconds;  // of its devices, where no attempt of ours shows it
  Json explanation = Json::object();   // what its strategy knew as it suggested it
  Json other = Json::object();
  bool operator==(const TrialFacts&) const = default;
};

struct AttemptFacts {
  std::optional<std::uint64_t> peak_device_memory;  // bytes, of its process tree on its GPUs
  Json overrides = Json::object();  // hyperparameters that it ran with in place of the trial's
  Json other = Json::object();
  bool operator==(const AttemptFacts&) const = default;
};

void to_json(Json& json, const TrialFacts& facts);
void from_json(const Json& json, TrialFacts& facts);
void to_json(Json& json, const AttemptFacts& facts);
void from_json(const Json& json, AttemptFacts& facts);

}  // namespace tune::store

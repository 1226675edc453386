#include "store/trial_facts.h"

#include "store/members.h"

namespace tune::store {

void to_json(Json& json, const TrialFacts& facts) {
  json = facts.other;
  put(json, "replicate_of", facts.replicate_of);
  put(json, "rerun_of", facts.rerun_of);
  put(json, "step_seconds", facts.step_seconds);
  put(json, "explanation", facts.explanation);
}

void from_json(const Json& json, TrialFacts& facts) {
  Members members(json);
  members.may("replicate_of", facts.replicate_of);
  members.may("rerun_of", facts.rerun_of);
  members.may("step_seconds", facts.step_seconds);
  members.may("explanation", facts.explanation);
  facts.other = members.rest();
}

void to_json(Json& json, const AttemptFacts& facts) {
  json = facts.other;
  put(json, "peak_device_memory", facts.peak_device_memory);
  put(json, "overrides", facts.overrides);
}

void from_json(const Json& json, AttemptFacts& facts) {
  Members members(json);
  members.may("peak_device_memory", facts.peak_device_memory);
  members.may("overrides", facts.overrides);
  facts.other = members.rest();
}

}  // namespace tune::store

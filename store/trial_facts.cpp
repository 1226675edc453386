#include "store/trial_facts.h"

#include "store/members.h"

namespace tune::store {

bool TrialFacts::is_enqueued() const { return explanation.value("strategy", Json()) == kEnqueued; }

void to_json(Json& json, const Deletion& deletion) {
  json = {{"who", deletion.who}, {"when_ms", deletion.when.time_since_epoch().count()}};
}

void from_json(const Json& json, Deletion& deletion) {
  Members members(json);
  std::int64_t when_ms = 0;
  members.must("who", deletion.who);
  members.must("when_ms", when_ms);
  deletion.when = WallTime(Milliseconds(when_ms));
}

void to_json(Json& json, const TrialFacts& facts) {
  json = facts.other;
  put(json, "replicate_of", facts.replicate_of);
  put(json, "rerun_of", facts.rerun_of);
  put(json, "step_seconds", facts.step_seconds);
  put(json, "resumed", facts.resumed);
  put(json, "explanation", facts.explanation);
  put(json, "overrides", facts.overrides);
  put(json, "deleted", facts.deleted);
  put(json, "reopened_after", facts.reopened_after);
}

void from_json(const Json& json, TrialFacts& facts) {
  Members members(json);
  members.may("replicate_of", facts.replicate_of);
  members.may("rerun_of", facts.rerun_of);
  members.may("step_seconds", facts.step_seconds);
  members.may("resumed", facts.resumed);
  members.may("explanation", facts.explanation);
  members.may("overrides", facts.overrides);
  members.may("deleted", facts.deleted);
  members.may("reopened_after", facts.reopened_after);
  facts.other = members.rest();
}

void to_json(Json& json, const AttemptFacts& facts) {
  json = facts.other;
  put(json, "peak_device_memory", facts.peak_device_memory);
  put(json, "reserved_device_memory", facts.reserved_device_memory);
  put(json, "failure", facts.failure);
  put(json, "overrides", facts.overrides);
  put(json, "job", facts.job);
  put(json, "verdict", facts.verdict);
}

void from_json(const Json& json, AttemptFacts& facts) {
  Members members(json);
  members.may("peak_device_memory", facts.peak_device_memory);
  members.may("reserved_device_memory", facts.reserved_device_memory);
  members.may("failure", facts.failure);
  members.may("overrides", facts.overrides);
  members.may("job", facts.job);
  members.may("verdict", facts.verdict);
  facts.other = members.rest();
}

}  // namespace tune::store

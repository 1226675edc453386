#include "store/study_facts.h"

#include "store/members.h"

namespace tune::store {

void to_json(Json& json, const GpuFacts& gpu) {
  json = gpu.other;
  json["uuid"] = gpu.uuid;
  json["name"] = gpu.name;
  json["memory"] = gpu.memory;
}

void from_json(const Json& json, GpuFacts& gpu) {
  Members members(json);
  members.must("uuid", gpu.uuid);
  members.must("name", gpu.name);
  members.must("memory", gpu.memory);
  gpu.other = members.rest();
}

void to_json(Json& json, const MachineFacts& machine) {
  json = machine.other;
  json["host"] = machine.host;
  json["cores"] = machine.cores;
  json["gpus"] = machine.gpus;
  json["driver"] = machine.driver;
}

void from_json(const Json& json, MachineFacts& machine) {
  Members members(json);
  members.must("host", machine.host);
  members.must("cores", machine.cores);
  members.must("gpus", machine.gpus);
  members.must("driver", machine.driver);
  machine.other = members.rest();
}

void to_json(Json& json, const CodeState& code) {
  json = code.other;
  json["commit"] = code.commit;
  json["clean"] = code.clean;
}

void from_json(const Json& json, CodeState& code) {
  Members members(json);
  members.must("commit", code.commit);
  members.must("clean", code.clean);
  code.other = members.rest();
}

void to_json(Json& json, const TrainerFacts& trainer) {
  json = trainer.other;
  json["version"] = trainer.version;
  json["libtorch"] = trainer.libtorch;
}

void from_json(const Json& json, TrainerFacts& trainer) {
  Members members(json);
  members.must("version", trainer.version);
  members.must("libtorch", trainer.libtorch);
  trainer.other = members.rest();
}

void to_json(Json& json, const ProbeCandidate& candidate) {
  json = candidate.other;
  json["precision"] = candidate.precision;
  put(json, "images_per_second", candidate.images_per_second);
  put(json, "units_per_second", candidate.units_per_second);
  put(json, "examples_per_second", candidate.examples_per_second);
  put(json, "peak_memory_bytes", candidate.peak_memory_bytes);
}

void from_json(const Json& json, ProbeCandidate& candidate) {
  Members members(json);
  members.must("precision", candidate.precision);
  members.may("images_per_second", candidate.images_per_second);
  members.may("units_per_second", candidate.units_per_second);
  members.may("examples_per_second", candidate.examples_per_second);
  members.may("peak_memory_bytes", candidate.peak_memory_bytes);
  candidate.other = members.rest();
}

void to_json(Json& json, const Probe& probe) {
  json = probe.other;
  json["precision"] = probe.precision;
  put(json, "device", probe.device);
  put(json, "unit", probe.unit);
  put(json, "training_images", probe.training_images);
  put(json, "training_examples", probe.training_examples);
  put(json, "candidates", probe.candidates);
  put(json, "validation_seconds", probe.validation_seconds);
  put(json, "measured_seconds", probe.measured_seconds);
  put(json, "lease_seconds", probe.lease_seconds);
  put(json, "leased_devices", probe.leased_devices);
}

void from_json(const Json& json, Probe& probe) {
  Members members(json);
  members.must("precision", probe.precision);
  members.may("device", probe.device);
  members.may("unit", probe.unit);
  members.may("training_images", probe.training_images);
  members.may("training_examples", probe.training_examples);
  members.may("candidates", probe.candidates);
  members.may("validation_seconds", probe.validation_seconds);
  members.may("measured_seconds", probe.measured_seconds);
  members.may("lease_seconds", probe.lease_seconds);
  members.may("leased_devices", probe.leased_devices);
  probe.other = members.rest();
}

void to_json(Json& json, const RunFacts& run) {
  json = run.other;
  json["tune"] = run.tune;
  json["sqlite"] = run.sqlite;
  json["machine"] = run.machine;
  json["code"] = nullptr;
  put(json, "code", run.code);
  put(json, "probe", run.probe);
  put(json, "trainer", run.trainer);
  json["since_ms"] = run.since.time_since_epoch().count();
}

void from_json(const Json& json, RunFacts& run) {
  Members members(json);
  members.must("tune", run.tune);
  members.must("sqlite", run.sqlite);
  members.must("machine", run.machine);
  members.may("code", run.code);
  members.may("probe", run.probe);
  members.may("trainer", run.trainer);
  std::int64_t since_ms = 0;
  members.must("since_ms", since_ms);
  run.since = WallTime(Milliseconds(since_ms));
  run.other = members.rest();
}

void to_json(Json& json, const PromotionDecision& promotion) {
  json = promotion.other;
  json["model"] = promotion.model;
  json["promoted"] = promotion.promoted;
  json["trial"] = promotion.trial;
  json["version"] = promotion.version;
  json["reason"] = promotion.reason;
  json["folder"] = promotion.folder.string();
}

void from_json(const Json& json, PromotionDecision& promotion) {
  Members members(json);
  members.must("model", promotion.model);
  members.must("promoted", promotion.promoted);
  members.must("trial", promotion.trial);
  members.must("version", promotion.version);
  members.must("reason", promotion.reason);
  std::string folder;
  members.must("folder", folder);
  promotion.folder = folder;
  promotion.other = members.rest();
}

void to_json(Json& json, const Origin& origin) {
  json = origin.other;
  json["store"] = origin.store;
  put(json, "spec", origin.spec);
}

void from_json(const Json& json, Origin& origin) {
  Members members(json);
  members.must("store", origin.store);
  members.may("spec", origin.spec);
  origin.other = members.rest();
}

void to_json(Json& json, const WarmStartCounts& counts) {
  json = counts.other;
  json["study"] = counts.study;
  json["kind"] = to_string(counts.kind);
  json["trials"] = counts.trials;
  json["outside"] = counts.outside;
  json["incomplete"] = counts.incomplete;
}

void from_json(const Json& json, WarmStartCounts& counts) {
  Members members(json);
  members.must("study", counts.study);
  std::string kind;
  members.must("kind", kind);
  counts.kind = warm_start_from_string(kind);
  members.must("trials", counts.trials);
  members.must("outside", counts.outside);
  members.must("incomplete", counts.incomplete);
  counts.other = members.rest();
}

void to_json(Json& json, const RungFacts& rungs) {
  json = {{"steps", rungs.steps}, {"full_steps", rungs.full_steps}};
}

void from_json(const Json& json, RungFacts& rungs) {
  Members members(json);
  members.must("steps", rungs.steps);
  members.must("full_steps", rungs.full_steps);
}

void to_json(Json& json, const AmendmentFacts& amendment) {
  json = amendment.other;
  json["when_ms"] = amendment.when.time_since_epoch().count();
  json["who"] = amendment.who;
  json["trials"] = amendment.trials;
  json["changes"] = amendment.changes;
  put(json, "assumed", amendment.assumed);
}

void from_json(const Json& json, AmendmentFacts& amendment) {
  Members members(json);
  std::int64_t when_ms = 0;
  members.must("when_ms", when_ms);
  amendment.when = WallTime(Milliseconds(when_ms));
  members.must("who", amendment.who);
  members.must("trials", amendment.trials);
  members.must("changes", amendment.changes);
  members.may("assumed", amendment.assumed);
  amendment.other = members.rest();
}

std::map<std::string, Json> assumed_values(const StudyFacts& facts) {
  return facts.amendments.empty() ? std::map<std::string, Json>() : facts.amendments.back().assumed;
}

void to_json(Json& json, const StudyFacts& facts) {
  json = facts.other;
  put(json, "origin", facts.origin);
  put(json, "warm_start", facts.warm_start);
  put(json, "driver", facts.driver);
  put(json, "runner", facts.runner);
  put(json, "precision", facts.precision);
  put(json, "probes", facts.probes);
  put(json, "runs", facts.runs);
  put(json, "promotion", facts.promotion);
  put(json, "rungs", facts.rungs);
  put(json, "amendments", facts.amendments);
  put(json, "search_end", facts.search_end);
  put(json, "no_pausing", facts.no_pausing);
  put(json, "held", facts.held);
  put(json, "stop_requests", facts.stop_requests);
  put(json, "tune", facts.tune);
  put(json, "sqlite", facts.sqlite);
  put(json, "machine", facts.machine);
  put(json, "probe", facts.probe);
  put(json, "trainer", facts.trainer);
}

void from_json(const Json& json, StudyFacts& facts) {
  Members members(json);
  members.may("origin", facts.origin);
  members.may("warm_start", facts.warm_start);
  members.may("driver", facts.driver);
  members.may("runner", facts.runner);
  members.may("precision", facts.precision);
  members.may("probes", facts.probes);
  members.may("runs", facts.runs);
  members.may("promotion", facts.promotion);
  members.may("rungs", facts.rungs);
  members.may("amendments", facts.amendments);
  members.may("search_end", facts.search_end);
  members.may("no_pausing", facts.no_pausing);
  members.may("held", facts.held);
  members.may("stop_requests", facts.stop_requests);
  members.may("tune", facts.tune);
  members.may("sqlite", facts.sqlite);
  members.may("machine", facts.machine);
  members.may("probe", facts.probe);
  members.may("trainer", facts.trainer);
  facts.other = members.rest();
}

}  // namespace tune::store

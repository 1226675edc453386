#pragma once
// What is recorded about a study beside its trials: where and with what it ran, how fast its trainer was
// there, what was promoted. Values, each with one pair of to_json and from_json, which agree exactly: what
// was read is written again as it was. from_json throws std::exception for what this program never writes.
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/history.h"
#include "tuner/core/json.h"

namespace tune::store {

// Every struct keeps in `other` the members that this version does not know, or that are null.

struct GpuFacts {
  std::string uuid, name;
  std::uint64_t memory = 0;  // bytes
  Json other = Json::object();
};

struct MachineFacts {
  std::string host;
  int cores = 0;
  std::vector<GpuFacts> gpus;
  std::string driver;  // NVIDIA's; empty where there is none
  Json other = Json::object();
};

// The state of the git folder that holds the code of the trials.
struct CodeState {
  std::string commit;
  bool clean = false;
  Json other = Json::object();
};

struct TrainerFacts {
  std::string version, libtorch;
  Json other = Json::object();
};

// How fast a precision is.
struct ProbeCandidate {
  std::string precision;
  // Older trainers give the first one alone.
  std::optional<double> images_per_second, units_per_second, examples_per_second;
  std::optional<std::uint64_t> peak_memory_bytes;  // of the device, or of the process on a CPU
  Json other = Json::object();
};

// What `tune-train probe` said of a machine, and what asking it took.
struct Probe {
  std::string precision;                                           // the fastest: what the trials compute in
  std::optional<std::string> device;                               // "cpu", "cuda:0"
  std::optional<std::string> unit;                                 // that speeds count; absent: images
  std::optional<std::int64_t> training_images, training_examples;  // of one epoch
  std::vector<ProbeCandidate> candidates;
  // What one validation takes; absent where the trainer could not time it.
  std::optional<double> validation_seconds;
  std::optional<double> measured_seconds;  // of the probe, without what a trial takes to start
  // What it held of devices; absent where somebody else pays for it.
  std::optional<double> lease_seconds;
  std::optional<int> leased_devices;
  Json other = Json::object();
};
using Probes = std::map<std::string, Probe>;  // by machine: "host: NVIDIA H200"

// What a run of a study found when it began.
struct RunFacts {
  std::string tune, sqlite;  // versions
  MachineFacts machine;
  std::optional<CodeState> code;  // absent (null in JSON) where nobody keeps the code in git
  // A built-in trainer alone has these.
  std::optional<Probe> probe;
  std::optional<TrainerFacts> trainer;
  WallTime since{};  // when it began; the run holds for all that began until the next one
  Json other = Json::object();
};

// What was decided about promoting a study's best trial.
struct PromotionDecision {
  std::string model;
  bool promoted = false;
  int trial = 0;
  int version = 0;               // 0 when nothing was promoted
  std::string reason;            // why, or why not: a sentence
  std::filesystem::path folder;  // of the version
  Json other = Json::object();
};

// Where a study's store and spec lay when it was last worked on.
struct Origin {
  std::string store;                // the folder
  std::optional<std::string> spec;  // the name of the file, where there was one
  Json other = Json::object();
};

// What a study took from an earlier one.
struct WarmStartCounts {
  std::string study;
  WarmStart kind = WarmStart::kTransfer;
  int trials = 0;      // that it learns from
  int outside = 0;     // left out: not in its ranges
  int incomplete = 0;  // left out: without a value of one of its parameters
  Json other = Json::object();
};

// Where a stop rule compares trials.
struct RungFacts {
  std::vector<std::int64_t> steps;  // ascending
  std::int64_t full_steps = 0;      // of a full training
  bool operator==(const RungFacts&) const = default;
};

// A change of the search space while the study had trials.
struct AmendmentFacts {
  WallTime when{};
  std::string who;                      // "ada@host"
  int trials = 0;                       // that had begun: they may lie outside the new space
  std::map<std::string, Json> assumed;  // what they had of parameters that came by this or an earlier one
  std::vector<std::string> changes;     // of the spec, a line each
  Json other = Json::object();
};

struct StudyFacts {
  std::optional<Origin> origin;
  std::vector<WarmStartCounts> warm_start;
  std::optional<std::string> driver;     // "ask-tell": another program runs the trials
  std::optional<std::string> runner;     // of its last run, where that is not the spec's
  std::optional<std::string> precision;  // that the trials compute in
  Probes probes;
  std::vector<RunFacts> runs;  // in order
  std::optional<PromotionDecision> promotion;
  std::optional<RungFacts> rungs;          // as the stop rule last had them
  std::optional<std::string> held;         // who has paused the study: nothing new is begun
  std::set<int> stop_requests;             // running trials that a person has stopped
  std::vector<AmendmentFacts> amendments;  // in order
  // Why the search ended, a StudyEnd, once replicates of its best trials have begun.
  std::optional<std::string> search_end;
  std::optional<std::string> no_pausing;  // why trials are stopped where the rule would let them wait
  // The first run of a study from before runs were kept apart. An ask-tell session writes `tune` too.
  std::optional<std::string> tune, sqlite;
  std::optional<MachineFacts> machine;
  std::optional<Probe> probe;
  std::optional<TrainerFacts> trainer;
  Json other = Json::object();
};

// What trials had of parameters that came later.
std::map<std::string, Json> assumed_values(const StudyFacts& facts);

void to_json(Json& json, const GpuFacts& gpu);
void from_json(const Json& json, GpuFacts& gpu);
void to_json(Json& json, const MachineFacts& machine);
void from_json(const Json& json, MachineFacts& machine);
void to_json(Json& json, const CodeState& code);
void from_json(const Json& json, CodeState& code);
void to_json(Json& json, const TrainerFacts& trainer);
void from_json(const Json& json, TrainerFacts& trainer);
void to_json(Json& json, const ProbeCandidate& candidate);
void from_json(const Json& json, ProbeCandidate& candidate);
void to_json(Json& json, const Probe& probe);
void from_json(const Json& json, Probe& probe);
void to_json(Json& json, const RunFacts& run);
void from_json(const Json& json, RunFacts& run);
void to_json(Json& json, const PromotionDecision& promotion);
void from_json(const Json& json, PromotionDecision& promotion);
void to_json(Json& json, const Origin& origin);
void from_json(const Json& json, Origin& origin);
void to_json(Json& json, const WarmStartCounts& counts);
void from_json(const Json& json, WarmStartCounts& counts);
void to_json(Json& json, const RungFacts& rungs);
void from_json(const Json& json, RungFacts& rungs);
void to_json(Json& json, const AmendmentFacts& amendment);
void from_json(const Json& json, AmendmentFacts& amendment);
void to_json(Json& json, const StudyFacts& facts);
void from_json(const Json& json, StudyFacts& facts);

}  // namespace tune::store

#pragma once
// What is recorded about a trial and about an attempt beside their states: where a trial comes from and why
// it was suggested, what an attempt ran with and took. Values, each with one pair of to_json and from_json,
// which agree exactly: what was read is written again as it was. from_json throws std::exception for what
// this program never writes.
#include <cstdint>
#include <optional>
#include <string>

#include "tuner/core/clock.h"
#include "tuner/core/json.h"

namespace tune::store {

// Both keep in `other` the members that this version does not know, or that are null.

// Who has deleted a trial: its row is a tombstone.
struct Deletion {
  std::string who;  // "ada@host"
  WallTime when{};
  bool operator==(const Deletion&) const = default;
};

struct TrialFacts {
  std::optional<int> replicate_of;     // the trial whose hyperparameters it has, on another seed
  std::optional<int> rerun_of;         // the trial that it repeats exactly, with its seed
  std::optional<double> step_seconds;  // of its devices, where no attempt of ours shows it
  std::optional<bool> resumed;         // of one that another program runs: whether it was paused before
  Json explanation = Json::object();   // what its strategy knew as it suggested it
  Json overrides = Json::object();     // what its last attempt had in place of its own hyperparameters
  std::optional<Deletion> deleted;
  // The attempts that it had when a person had it run again after it had failed.
  std::optional<int> reopened_after;
  Json other = Json::object();

  // Whether a person has asked for the trial: as a point of its own, or as a repeat of another one.
  bool is_enqueued() const;
  bool is_asked_for() const { return rerun_of || is_enqueued(); }
  bool operator==(const TrialFacts&) const = default;
};

// In the explanation of an enqueued trial, where else the strategy's name is.
inline constexpr const char* kEnqueued = "enqueue";

struct AttemptFacts {
  // Bytes that its process tree held at most on one of its GPUs.
  std::optional<std::uint64_t> peak_device_memory;
  // Bytes that were set aside for it on each of its GPUs, where trials share them by memory; absent: all.
  std::optional<std::uint64_t> reserved_device_memory;
  std::string failure;              // class of the failure that ended it
  Json overrides = Json::object();  // hyperparameters that it ran with in place of the trial's
  std::string job;                  // of a cluster, that it was: "812_3 on n1"
  Json verdict = Json::object();    // what the rule that ended it compared (strategies::Verdict)
  Json other = Json::object();
  bool operator==(const AttemptFacts&) const = default;
};

void to_json(Json& json, const Deletion& deletion);
void from_json(const Json& json, Deletion& deletion);
void to_json(Json& json, const TrialFacts& facts);
void from_json(const Json& json, TrialFacts& facts);
void to_json(Json& json, const AttemptFacts& facts);
void from_json(const Json& json, AttemptFacts& facts);

}  // namespace tune::store

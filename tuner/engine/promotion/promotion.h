#pragma once
// Promotion: the best trial's output becomes a version of a model, whole or not at all, for a recorded
// reason.
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "store/model_registry.h"
#include "store/study_store.h"
#include "tuner/engine/promotion/gate.h"

namespace tune::engine {

struct PromotionRequest {
  std::filesystem::path store_folder;  // holds models/ and the study's folder
  std::string model;                   // as promote.model in a spec
  // A person's choice; absent: the best completed trial, of two objectives the one that promote.prefer takes.
  std::optional<int> trial;
  // Whether a person wants to be out: while another process promotes, and while files are copied; empty:
  // never.
  std::function<bool()> is_interrupted = {};
  // Told a sentence when it has waited for a second for another process that promotes.
  std::function<void(const std::string&)> notice = {};
  std::string alias = kCurrentAlias;  // that is to name the version
  GateRules gate = {};                // what the version must show beside a better value
};

// The rule of values: a model's first version is promoted; after that a trial is promoted when its objective
// is better than that of the current version, measured by the same metric with the same goal. Of
// hyperparameters that were repeated on other seeds the bound of their mean is judged (Replication), and the
// run with the best value is promoted. A version of the same study is judged by its bound of now, one of
// another study by the bound that it was promoted with; where it has none, its only value meets the first one
// of the trial. A person's explicit choice of a trial passes too, and the reason says so. What was promoted
// before from the same study and trial is not promoted twice.
struct Gate {
  bool passes = false;
  std::string reason;
};
// What a trial or a version is judged by.
struct Judged {
  double value = 0;
  bool is_bound = false;  // of the mean over seeds: an estimate, whose last digits say nothing
  std::string what = {};  // for people, where it is not plainly the value
};
// `judged_current`: nullopt for the value of the current version.
Gate judge_promotion(const Objective& objective, const Judged& judged,
                     const std::optional<store::ModelVersion>& current,
                     const std::optional<Judged>& judged_current, bool chosen_by_person);

// The trial that is promoted unless a person chooses one: of two objectives the preferred one of the front,
// else the best one or, of the runs of its hyperparameters, the one with the best value. nullopt when no
// trial has completed with a value, or none is preferred by the spec.
std::optional<int> winner_of(const History& history, const Json& spec);

// Copies the trial's output folder to models/staging, hashes and syncs it, renames it to
// models/NAME/versions/V, records it, has the gate judge it where something is required, and moves the alias.
// A crash at any step leaves the alias as it was; what it left in staging is removed by the next promotion.
// What the gate refuses stays a version without an alias, and its log says why. Throws Error(kNotFound) for a
// trial that is not there or has no value, Error(kConflict) when another process moved the alias meanwhile,
// Error(kInterrupted) when it was interrupted while it waited for one that promotes, copied files or was
// judged, Error(kEnvironment) when the disk refuses, and what the gate's judge throws.
store::PromotionDecision promote_trial(const store::StudyStore& store, const PromotionRequest& request);

// Removes the checkpoints of every finished trial but `keep`. Returns the bytes that were freed.
std::uint64_t remove_losing_checkpoints(const store::StudyStore& store,
                                        const std::filesystem::path& study_folder, int keep);

}  // namespace tune::engine

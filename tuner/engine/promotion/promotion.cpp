#include "tuner/engine/promotion/promotion.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/replication.h"
#include "tuner/core/rng.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/promotion/alias_move.h"
#include "tuner/engine/promotion/held_models.h"
#include "tuner/engine/promotion/lineage.h"
#include "tuner/engine/promotion/model_files.h"
#include "tuner/engine/promotion/preferred.h"
#include "tuner/os/crash_point.h"
#include "tuner/spec/spec_text_rules.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

// The one to promote of the runs of the same hyperparameters: the one with the best value, the earliest of
// equals. Each run has weights of its own, and the better value speaks for the better weights, however lucky.
int best_run(const History& history, const TrialView& winner) {
  const TrialView* best = &winner;
  for (const auto& trial : history.trials) {
    const bool counts = trial->replicate_of == winner.number && trial->state == TrialState::kCompleted &&
                        !trial->values.empty();
    if (counts && is_better(trial->values[0], best->values[0], history.objective.goal)) best = trial.get();
  }
  return best->number;
}

store::TrialRow trial_to_promote(const store::StudyStore& store, const std::optional<int>& chosen) {
  if (chosen) {
    const std::optional<store::TrialRow> trial = store.trial(*chosen);
    if (!trial) throw Error(ExitCode::kNotFound, "there is no trial " + std::to_string(*chosen));
    if (trial->state != TrialState::kCompleted || trial->values.empty())
      throw Error(ExitCode::kConflict, "trial " + std::to_string(*chosen) + " is " + to_string(trial->state) +
                                           ", and only a completed trial with a value can be promoted");
    return *trial;
  }
  const std::optional<int> winner = winner_of(store.load_history(), store.study().spec);
  if (!winner) throw Error(ExitCode::kNotFound, "no trial of this study has completed with a value");
  return *store.trial(*winner);
}

// Whether the version was made of this trial. A study of the same name may have been removed and started
// anew: only the attempt's token tells its trials from the old ones.
bool is_of(const store::ModelVersion& version, const std::string& study, const store::TrialRow& trial,
           const Json& token) {
  const bool has_value =
      std::find(trial.values.begin(), trial.values.end(), version.value) != trial.values.end();
  return version.study == study && version.trial == trial.number && has_value &&
         version.lineage.value("token", Json()) == token;
}

// The version that was made of this trial already; nullopt when there is none.
std::optional<store::ModelVersion> recorded_before(const store::ModelRegistry& registry,
                                                   const std::string& study, const store::TrialRow& trial,
                                                   const Json& token, const std::string& model,
                                                   const fs::path& model_folder) {
  for (store::ModelVersion& version : registry.versions(model)) {
    std::error_code error;
    if (is_of(version, study, trial, token) &&
        fs::exists(version_folder(model_folder, version.version), error))
      return std::move(version);
  }
  return std::nullopt;
}

void check_name(const std::string& model) {
  if (!kModelName.accepts(model))
    throw Error(ExitCode::kUsage, "\"" + model + "\" cannot be a model's name", std::string(kModelName.says));
}

// What is to be promoted.
struct Candidate {
  store::StudyRow study;
  store::TrialRow trial;
  fs::path attempt;                                // the folder of its last attempt
  std::optional<Replication::Candidate> repeated;  // of its hyperparameters, where they were
  std::optional<Preference> preference;            // of a study with two objectives, whose spec has one
  // What its version is known by: of two objectives the one that decides, else the first.
  bool is_second() const { return preference && !preference->weight && preference->best == 1; }
  const Objective& objective() const { return is_second() ? *study.second : study.objective; }
  double value() const { return trial.values[is_second() ? 1 : 0]; }
  bool has_bound() const { return repeated && repeated->bound; }
};

// What the replicates of a study say of a trial, or of the one that it repeats.
std::optional<Replication::Candidate> over_seeds(const store::StudyStore& store,
                                                 const store::TrialRow& trial) {
  const History history = store.load_history();
  const Replication replication(history.objective.goal, seed_results(history));
  const Replication::Candidate* found = replication.find(trial.facts.replicate_of.value_or(trial.number));
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

// The same where it was repeated.
std::optional<Replication::Candidate> repeated_trial(const store::StudyStore& store,
                                                     const store::TrialRow& trial) {
  auto found = over_seeds(store, trial);
  return found && !found->fresh.empty() ? std::move(found) : std::nullopt;
}

Json seeds_json(const Replication::Candidate& repeated) {
  Json fresh = Json::array();
  for (const double value : repeated.fresh) fresh.push_back(number_to_json(value));
  return {{"trial", repeated.trial},
          {"first_value", number_to_json(repeated.first)},
          {"fresh_values", fresh},
          {"mean", number_to_json(repeated.mean)},
          {"bound", repeated.bound ? number_to_json(*repeated.bound) : Json()}};
}

Judged bound_of(const Replication::Candidate& repeated) {
  const std::string runs = repeated.fresh.empty() ? "trial " + std::to_string(repeated.trial) + ", run once"
                                                  : plural_text(repeated.fresh.size() + 1, "run") +
                                                        " of trial " + std::to_string(repeated.trial);
  return {*repeated.bound, true, "the bound of the mean of " + runs};
}

// The bound that was recorded with a version; nullopt where it was made without one.
std::optional<Judged> recorded_bound(const store::ModelVersion& version) {
  const Json seeds = version.lineage.is_object() ? version.lineage.value("seeds", Json()) : Json();
  const Json bound = seeds.is_object() ? seeds.value("bound", Json()) : Json();
  if (!bound.is_number()) return std::nullopt;
  return Judged{bound.get<double>(), true, "the bound of a mean over seeds"};
}

std::string judged_text(const Judged& judged) {
  std::array<char, 32> text{};
  if (judged.is_bound) std::snprintf(text.data(), text.size(), "%.6g", judged.value);
  return (judged.is_bound ? std::string(text.data()) : shortest(judged.value)) +
         (judged.what.empty() ? "" : " (" + judged.what + ")");
}

// What a version of this very study is by now, over seeds: its trial may have been repeated since, or others
// were, which tell by how much its only value flatters.
std::optional<Judged> bound_by_now(const store::StudyStore& store, const std::string& study,
                                   const store::ModelVersion& version) {
  const auto trial = version.study == study ? store.trial(version.trial) : std::nullopt;
  if (!trial || !is_of(version, study, *trial, token_of(store, *trial))) return std::nullopt;
  const auto found = over_seeds(store, *trial);
  return found && found->bound ? std::optional(bound_of(*found)) : std::nullopt;
}

// The candidate and the version, each by what can be held against the other.
struct Compared {
  Judged candidate;
  std::optional<Judged> version = std::nullopt;
};

Compared compared(const store::StudyStore& store, const Candidate& candidate,
                  const std::optional<store::ModelVersion>& current) {
  const Judged value{candidate.value()};
  const Judged ours = candidate.has_bound() ? bound_of(*candidate.repeated) : value;
  if (!current) return {ours};
  if (const auto known = bound_by_now(store, candidate.study.name, *current)) return {ours, known};
  if (const auto known = recorded_bound(*current)) return {ours, known};
  // A bound would lose to whatever value had luck: one run is held against one run.
  if (candidate.has_bound())
    return {{candidate.repeated->first, false,
             "the first run of trial " + std::to_string(candidate.repeated->trial)},
            Judged{current->value, false, "its only run"}};
  return {value, Judged{current->value}};
}

// The decision where no trial of a front is what the spec prefers.
std::optional<store::PromotionDecision> nothing_preferred(const store::StudyStore& store,
                                                          const PromotionRequest& request) {
  if (request.trial || !store.study().second || store.load_history().best() == nullptr) return std::nullopt;
  const Preferred preferred = preferred_of(store);
  if (preferred.trial) return std::nullopt;
  return store::PromotionDecision{request.model, false, preferred.nearest, 0, preferred.objection, {}};
}

Candidate candidate_of(const store::StudyStore& store, const PromotionRequest& request) {
  Candidate candidate{store.study(), trial_to_promote(store, request.trial), {}, std::nullopt, std::nullopt};
  const store::StudyRow& study = candidate.study;
  candidate.repeated = repeated_trial(store, candidate.trial);
  if (study.second) candidate.preference = preference_in(study.spec, {study.objective, *study.second});
  candidate.attempt = attempt_folder(request.store_folder / candidate.study.name,
                                     {candidate.trial.number, candidate.trial.attempts});
  return candidate;
}

// Which run was taken, of those that were judged together.
std::string run_text(const Candidate& candidate) {
  if (!candidate.repeated) return {};
  return "; of the " + plural_text(candidate.repeated->fresh.size() + 1, "run") + " of trial " +
         std::to_string(candidate.repeated->trial) + " this is trial " +
         std::to_string(candidate.trial.number) + " with " + shortest(candidate.value());
}

// The scores of the built-in trainers begin at 0, where nothing at all was found.
std::string worst_score_text(const Candidate& candidate) {
  const bool is_score =
      candidate.study.spec.contains("trainer") && candidate.objective().goal == Goal::kMaximize;
  if (!is_score || candidate.value() != 0) return {};
  return "; 0 is the worst " + candidate.objective().metric +
         " that there is: look at the trial's log and at its data";
}

void set_version(store::PromotionDecision& result, const fs::path& model_folder, int version) {
  result.version = version;
  result.folder = version_folder(model_folder, version);
}

// Asks the gate, and looks at the output before anything of it is read. Leaves the reason in the result
// either way.
bool may_be_promoted(const store::StudyStore& store, const Candidate& candidate,
                     const std::optional<store::ModelVersion>& current, const PromotionRequest& request,
                     store::PromotionDecision& result) {
  const bool chosen_by_person = request.trial.has_value();
  const auto by_value = [&] {
    const Compared both = compared(store, candidate, current);
    return judge_promotion(candidate.objective(), both.candidate, current, both.version, chosen_by_person);
  };
  const Gate gate =
      candidate.preference && !chosen_by_person
          ? judge_preferred(store.load_history(), *candidate.preference, candidate.trial.values, current)
          : by_value();
  result.reason = gate.reason + run_text(candidate) + worst_score_text(candidate);
  if (!gate.passes) return false;
  const std::string problem = output_problem(candidate.attempt / kOutputFolder);
  if (problem.empty()) return true;
  result.reason = "trial " + std::to_string(candidate.trial.number) + " " + problem;
  return false;
}

// Copies the candidate's output, moves the copy to its place, and records it. Returns its version.
int make_version(HeldModels& models, const Candidate& candidate, const Json& lineage,
                 const PromotionRequest& request) {
  const fs::path staging = models.new_staging();
  crash_point("promote_stage");
  return models.add({request.model, 0, SystemClock().wall_now(), candidate.study.name, candidate.trial.number,
                     candidate.objective(), candidate.value(), lineage,
                     copy_model(candidate.attempt / kOutputFolder, staging, request.is_interrupted)},
                    staging);
}

}  // namespace

Gate judge_promotion(const Objective& objective, const Judged& judged,
                     const std::optional<store::ModelVersion>& current,
                     const std::optional<Judged>& judged_current, bool chosen_by_person) {
  const std::string ours = objective.metric + " " + judged_text(judged);
  if (!current) return {true, "first version, with " + ours};
  if (current->objective.metric.empty()) {
    const std::string brought =
        "version " + std::to_string(current->version) + " was brought along without a value";
    return chosen_by_person ? Gate{true, "chosen by a person, with " + ours + "; " + brought}
                            : Gate{false, brought + ", and cannot be compared with " + ours};
  }
  const Judged known = judged_current.value_or(Judged{current->value});
  const std::string theirs = "version " + std::to_string(current->version) + " has " +
                             current->objective.metric + " " + judged_text(known);
  if (chosen_by_person) return {true, "chosen by a person, with " + ours + "; " + theirs};
  if (current->objective.metric != objective.metric || current->objective.goal != objective.goal)
    return {false, theirs + ", which cannot be compared with " + ours};
  if (is_better(judged.value, known.value, objective.goal)) return {true, ours + " is better: " + theirs};
  return {false, ours + " is not better: " + theirs};
}

std::optional<int> winner_of(const History& history, const Json& spec) {
  const TrialView* const best = history.best();
  if (best == nullptr) return std::nullopt;
  if (!history.second) return best_run(history, *best);
  const auto preference = preference_in(spec, {history.objective, *history.second});
  return preference ? preferred_trial(history, *preference) : std::nullopt;
}

store::PromotionDecision promote_trial(const store::StudyStore& store, const PromotionRequest& request) {
  check_name(request.model);
  require_alias_name(request.alias);
  if (const auto none = nothing_preferred(store, request)) return *none;
  const Candidate candidate = candidate_of(store, request);
  const store::TrialRow& trial = candidate.trial;
  const ModelHooks hooks{request.is_interrupted, request.notice};
  store::PromotionDecision result{request.model, false, trial.number, 0, {}, {}};
  AliasMove move{request.store_folder, request.model, request.alias};
  {
    // Held until the version is recorded: judging it may take long.
    HeldModels models(request.store_folder, hooks);
    models.repair_link(request.model);
    const fs::path model_folder = models.folder_of(request.model);
    move.from = models.registry().alias(request.model, request.alias);
    const std::optional<store::ModelVersion> named = models.registry().version(request.model, move.from);
    const Json token = token_of(store, trial);
    if (named && is_of(*named, candidate.study.name, trial, token)) {
      set_version(result, model_folder, named->version);
      result.reason = "this trial is the " + request.alias + " version already";
      result.promoted = true;
      return result;
    }
    if (!may_be_promoted(store, candidate, named, request, result)) return result;
    Lineage lineage = lineage_of(store, trial, candidate.attempt);
    if (candidate.repeated) lineage.document["seeds"] = seeds_json(*candidate.repeated);
    if (request.gate.requirement) lineage.document["require"] = requirement_json(*request.gate.requirement);
    for (const std::string& unread : lineage.unread)
      result.reason += "; not taken into its lineage: " + unread;

    // A process may have died between recording a version of this trial and promoting it.
    const std::optional<store::ModelVersion> recorded =
        recorded_before(models.registry(), candidate.study.name, trial, token, request.model, model_folder);
    set_version(result, model_folder,
                recorded ? recorded->version : make_version(models, candidate, lineage.document, request));
    if (recorded && recorded->approval == store::Approval::kRejected) {
      result.reason = "version " + std::to_string(recorded->version) +
                      " was made of this trial, and a person has rejected it";
      return result;
    }
    move.to = result.version;
    move.reason = result.reason;
    move.evidence = {{"metric", candidate.objective().metric},
                     {"value", candidate.value()},
                     {"current_value", named ? Json(named->value) : Json(nullptr)}};
    if (!request.gate.requirement) {
      move_alias(models, move);
      result.promoted = true;
      return result;
    }
  }
  const GateVerdict verdict = judge_and_move(move, request.gate, hooks);
  result.promoted = verdict.passes;
  result.reason = verdict.passes ? result.reason + "; " + verdict.reason : verdict.reason;
  return result;
}

std::uint64_t remove_losing_checkpoints(const store::StudyStore& store, const fs::path& study_folder,
                                        int keep) {
  std::uint64_t freed = 0;
  for (const store::TrialRow& trial : store.trials()) {
    if (trial.number == keep || !is_finished(trial.state)) continue;
    const fs::path folder = checkpoint_folder(study_folder, trial.number);
    std::error_code error;
    // A link that a trainer has put in its place goes, and what it leads to stays.
    if (!fs::is_symlink(folder, error))
      for (const auto& entry : fs::recursive_directory_iterator(folder, error))
        if (fs::is_regular_file(entry.symlink_status(error))) freed += entry.file_size(error);
    fs::remove_all(folder, error);
  }
  return freed;
}

}  // namespace tune::engine

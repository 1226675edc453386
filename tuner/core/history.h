#pragma once
// What a search has seen so far: the only input of strategies and stop rules.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/space.h"

namespace tune {

enum class Goal { kMinimize, kMaximize };
enum class Reduce { kLast, kBest, kMin, kMax };

struct Objective {
  std::string metric;
  Goal goal = Goal::kMinimize;
  Reduce reduce = Reduce::kBest;
};

// Whether a is better than b. NaN is never better than anything.
bool is_better(double a, double b, Goal goal);

enum class TrialState { kQueued, kRunning, kPaused, kCompleted, kStopped, kFailed };
const char* to_string(TrialState state);
TrialState trial_state_from_string(const std::string& text);  // throws std::invalid_argument
bool is_finished(TrialState state);                           // completed, stopped or failed
bool is_open(TrialState state);                               // queued or running

// What a trial is to the search: a point of it; nothing, since it was deleted or lies outside a space that
// was amended; or an exact repeat of another trial, which the search does not even count.
enum class SearchRole { kPoint, kNothing, kRepeat };

// One value of a metric. `value` may be NaN or infinite as the trainer printed it.
struct MetricPoint {
  std::int64_t step = 0;  // counts from 1
  double value = 0;
};

// The reduced value of a curve (steps ascending, one point a step): finite points only; nullopt when there is
// none.
std::optional<double> reduce_curve(const std::vector<MetricPoint>& curve, const Objective& objective);

// What a trial with these curves has reached, as its values: nothing, or the first objective, or both.
std::vector<double> reached_values(const std::vector<MetricPoint>& curve,
                                   const std::vector<MetricPoint>& second_curve, const Objective& objective,
                                   const std::optional<Objective>& second);

// One trial as the mathematics sees it. Immutable once it is in a History.
struct TrialView {
  int number = 0;  // 1, 2, ... in the order of suggestion
  ParameterSet parameters;
  TrialState state = TrialState::kQueued;
  double budget = 1;  // fraction of full training that was asked for, (0, 1]
  // The objectives of a finished trial, or what a paused one has reached, one each: finite, else the list is
  // empty.
  std::vector<double> values;
  std::vector<MetricPoint> curve;  // the objective's points so far, steps ascending, a repeated step
                                   // replaced; may hold non-finite values: check before use
  double step_seconds = 0;         // of its devices, for a step of the curve; 0: not known
  std::string failure;  // of a failed trial: "oom", "non_finite", "bad_data", "timeout", "crash", ...
  // As it was suggested it ran out of memory: its values are those of what fitted in its place.
  bool did_not_fit = false;
  // Bytes that it held on a GPU as it was suggested; absent where nobody measured.
  std::optional<std::uint64_t> device_memory = {};
  std::optional<int> replicate_of = {};  // the trial that it repeats on another seed: no part of the search
  int apart_before = 0;  // trials with lower numbers that are no part of the search: replicates and repeats

  // Which trial of the search it is, 1, 2, ...; of one that is part of it.
  int place() const { return number - apart_before; }
  SearchRole role = SearchRole::kPoint;
  std::vector<MetricPoint> second_curve = {};  // the same of a second objective
};

// How the trials of an earlier study count: as this study's own, or as those of a related search, whose
// values may have another scale and whose best region may lie elsewhere.
enum class WarmStart { kIdentical, kTransfer };
const char* to_string(WarmStart kind);
WarmStart warm_start_from_string(const std::string& text);  // throws std::invalid_argument

// A finished trial of an earlier study. Its parameters are a point of this study's space; its number and
// values are the earlier study's own. Values compare only with those of the same study (kIdentical: with this
// study's too).
struct EarlierTrial {
  std::string study;
  WarmStart kind = WarmStart::kTransfer;
  std::shared_ptr<const TrialView> trial;
};

// A snapshot; copying costs one pointer a trial. trials[i]->number == i + 1 unless some are borrowed.
struct History {
  Objective objective;
  std::vector<std::shared_ptr<const TrialView>> trials;
  // What the spec's warm_start brought, in its order: the same for as long as the study lives. nullptr:
  // nothing.
  std::shared_ptr<const std::vector<EarlierTrial>> earlier = nullptr;
  // How many of the first trials are not this study's own: a model-based strategy sees earlier trials in
  // front of the others, with values in this study's units and numbers of their own study. 0 everywhere else.
  std::size_t borrowed = 0;
  // Whether a new trial may begin: false once limits.trials is reached, when only paused trials may go on.
  bool may_begin = true;
  // Whether its results have ended the search (limits.target and the like): not even those go on.
  bool is_over = false;
  // Whether paused trials go on from where they were: false once one had left no checkpoint, or had begun
  // anew.
  bool can_pause = true;
  // How many of the trials are repeats, which a strategy sees without parameters: they shift nothing, so that
  // the next suggestion is the one that it would have been without them.
  std::size_t repeats = 0;
  // Of a study with two objectives: the second one. Where one alone is needed, `objective` is.
  std::optional<Objective> second = {};

  int next_number() const { return static_cast<int>(trials.size() - borrowed - repeats) + 1; }
  // The best completed trial of the search, by value, the earliest of equals; with replicates the one that
  // wins by them (Replication::winner()). No replicate or repeat. nullptr when none has a finite value.
  const TrialView* best() const;
};

}  // namespace tune

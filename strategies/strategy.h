#pragma once
// The contract of search strategies.
//
// No state that matters survives between calls: the same spec, seed, history and trial number give the same
// answer, so resuming is reloading history. Caches keyed on history are fine. One thread calls one strategy
// at a time.
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tuner/core/history.h"
#include "tuner/core/rng.h"
#include "tuner/core/search_settings.h"

namespace tune::strategies {

struct Suggestion {
  ParameterSet parameters;
  double budget = 1;                // fraction of full training, (0, 1]
  std::optional<int> resume_trial;  // continue this paused trial instead of starting a new one
  std::string note;                 // why, for people: "Sobol point 3 of 8", "expected improvement 0.012"
  // By how much it is expected to be better than the best so far, in the objective's units; absent: not
  // known.
  std::optional<double> expected_gain = {};
  // Whether paused trials were compared with this, by what they promise and take.
  bool weighs_paused = false;
  bool space_is_used_up = false;  // every point has been tried, so this one is a repeat
  // What of the note differs from trial to trial, for a line of a log: "predicted 0.11, 0.10 to 0.12".
  std::string brief = {};
  // Where a strategy takes another's point: "auto takes tpe", and why. The note says both too.
  std::string choice = {}, choice_reason = {};
  std::optional<int> replicate_of = {};  // the completed trial whose hyperparameters these are
  // What the strategy knew, for people who ask why: about 1 kB (strategies/explanation.h).
  Json explanation = Json::object();
};
struct Wait {};       // nothing until another trial ends
struct Exhausted {};  // nothing ever again
using Answer = std::variant<Suggestion, Wait, Exhausted>;

// Says which trial comes next. Owned by the engine, called on one worker thread at a time. Starts nothing,
// and keeps nothing between calls that matters.
class Strategy {
 public:
  virtual ~Strategy() = default;
  // A point of the space for trial history.next_number(). `rng` is seeded from the study's seed and that
  // number. Never throws for any history, and never answers outside the space.
  virtual Answer suggest(const History& history, Rng& rng) = 0;
};

// A name that make_strategy() takes, and what it is in a line.
struct StrategyEntry {
  const char* name;
  const char* description;
  bool learns = true;  // from results
};
const std::vector<StrategyEntry>& strategy_table();

// The strategy that the spec names, with its try_first points in front. `seed` is the study's seed;
// `stopping` says how long trainings are, and whether paused ones go on. Throws Error(kBadSpec) for a name
// that is not in the table, or a space that the strategy cannot search (grid over a continuous parameter
// without step or levels).
std::unique_ptr<Strategy> make_strategy(const StrategySpec& spec, const SearchSpace& space,
                                        const Objective& objective, std::uint64_t seed,
                                        const EarlyStopping& stopping = {});

// A study's whole strategy: what the spec names, in it the paused trials that go on, and replicates behind.
std::unique_ptr<Strategy> make_study_strategy(const StrategySpec& spec, const SearchSpace& space,
                                              const EarlyStopping& rule,
                                              const std::optional<Replicates>& replicates,
                                              const Objective& objective, std::uint64_t seed);

}  // namespace tune::strategies

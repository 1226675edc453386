#include "strategies/auto_strategy.h"
#include "strategies/bayesian_strategy.h"
#include "strategies/grid_strategy.h"
#include "strategies/promoting.h"
#include "strategies/random_strategy.h"
#include "strategies/replicating.h"
#include "strategies/sobol_strategy.h"
#include "strategies/strategy.h"
#include "strategies/tpe_strategy.h"
#include "strategies/try_first.h"
#include "strategies/warm_started.h"
#include "tuner/core/error.h"

namespace tune::strategies {
namespace {

struct Maker {
  StrategyEntry entry;
  std::unique_ptr<Strategy> (*make)(const SearchSpace&, const Objective&, std::uint64_t seed,
                                    const EarlyStopping& stopping);
};

const std::vector<Maker>& makers() {
  static const std::vector<Maker> table{
      {{"auto",
        "for each trial the one that suits the study: bayesian, or tpe where that is too wide or long"},
       [](const SearchSpace& space, const Objective& objective, std::uint64_t seed,
          const EarlyStopping& stopping) -> std::unique_ptr<Strategy> {
         return std::make_unique<AutoStrategy>(space, objective, seed, stopping);
       }},
      {{"bayesian", "a Gaussian process of the results so far and noisy expected improvement"},
       [](const SearchSpace& space, const Objective& objective, std::uint64_t seed,
          const EarlyStopping& stopping) -> std::unique_ptr<Strategy> {
         return std::make_unique<BayesianStrategy>(space, objective, seed, stopping);
       }},
      {{"tpe", "a tree-structured Parzen estimator: quick, and at ease with many conditions and categories"},
       [](const SearchSpace& space, const Objective& objective, std::uint64_t seed, const EarlyStopping&)
           -> std::unique_ptr<Strategy> { return std::make_unique<TpeStrategy>(space, objective, seed); }},
      {{"random", "independent uniform points on each parameter's scale", false},
       [](const SearchSpace& space, const Objective&, std::uint64_t, const EarlyStopping&)
           -> std::unique_ptr<Strategy> { return std::make_unique<RandomStrategy>(space); }},
      {{"hyperband", "random points, most of which the rule hyperband stops early", false},
       [](const SearchSpace& space, const Objective&, std::uint64_t, const EarlyStopping&)
           -> std::unique_ptr<Strategy> { return std::make_unique<RandomStrategy>(space); }},
      {{"sobol", "scrambled Sobol points, which cover the space more evenly than random ones", false},
       [](const SearchSpace& space, const Objective&, std::uint64_t seed, const EarlyStopping&)
           -> std::unique_ptr<Strategy> { return std::make_unique<SobolStrategy>(space, seed); }},
      {{"grid", "every combination once; needs int, categorical, step or levels", false},
       [](const SearchSpace& space, const Objective&, std::uint64_t, const EarlyStopping&)
           -> std::unique_ptr<Strategy> { return std::make_unique<GridStrategy>(space); }},
  };
  return table;
}

}  // namespace

const std::vector<StrategyEntry>& strategy_table() {
  static const std::vector<StrategyEntry> table = [] {
    std::vector<StrategyEntry> entries;
    for (const Maker& maker : makers()) entries.push_back(maker.entry);
    return entries;
  }();
  return table;
}

std::unique_ptr<Strategy> make_strategy(const StrategySpec& spec, const SearchSpace& space,
                                        const Objective& objective, std::uint64_t seed,
                                        const EarlyStopping& stopping) {
  std::string names;
  for (const Maker& maker : makers()) {
    if (spec.name != maker.entry.name) {
      names += std::string(names.empty() ? "" : ", ") + maker.entry.name;
      continue;
    }
    std::unique_ptr<Strategy> strategy =
        std::make_unique<WarmStarted>(maker.make(space, objective, seed, stopping), space, objective.goal,
                                      spec.try_first.size(), maker.entry.learns);
    if (spec.try_first.empty()) return strategy;
    return std::make_unique<TryFirst>(std::move(strategy), spec.try_first, space, spec.try_first_note);
  }
  throw Error(ExitCode::kBadSpec, "strategy.name: there is no strategy \"" + spec.name + "\"",
              "take one of: " + names);
}

std::unique_ptr<Strategy> make_study_strategy(const StrategySpec& spec, const SearchSpace& space,
                                              const EarlyStopping& rule,
                                              const std::optional<Replicates>& replicates,
                                              const Objective& objective, std::uint64_t seed) {
  return std::make_unique<Replicating>(
      with_promotions(make_strategy(spec, space, objective, seed, rule), rule, objective), replicates,
      rule.form == StopForm::kPause);
}

}  // namespace tune::strategies

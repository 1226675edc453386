#pragma once
// Bayesian optimisation with a Gaussian process.
#include <array>
#include <optional>

#include "strategies/acquisition_search.h"
#include "strategies/encoded_history.h"
#include "strategies/failure_model.h"
#include "strategies/initial_design.h"
#include "strategies/price_model.h"
#include "strategies/strategy.h"
#include "strategies/surrogate.h"
#include "strategies/thawing.h"
#include "strategies/untried_points.h"
#include "tuner/core/front.h"

namespace tune::strategies {

// The first trials are those of InitialDesign, until there are kInitialObservations results. Then each
// suggestion maximises log noisy expected improvement, weighted by the probability that the trial does not
// fail, under a Gaussian process of all trials that have ended; pending trials enter as fantasies. Where an
// identical earlier study is known, the neighbourhood of the best point is preferred for a while. With two
// objectives it is log expected hypervolume improvement, under a process of each. Points
// that were tried, pending ones too, are not repeated while there are others. Where no model can be fitted
// the answer is a Sobol point, and the note says so.
//
// Caches are keyed on the history and change no answer. One thread.
class BayesianStrategy final : public Strategy {
 public:
  BayesianStrategy(SearchSpace space, Objective objective, std::uint64_t seed,
                   const EarlyStopping& stopping = {});
  BayesianStrategy(const BayesianStrategy&) = delete;  // the encoder refers to its siblings
  BayesianStrategy& operator=(const BayesianStrategy&) = delete;
  Answer suggest(const History& history, Rng& rng) override;

  // The fewest observations that are modelled: 3 were no worse than 5 and 8, and cost fewer failures.
  static constexpr std::size_t kInitialObservations = 3;

 private:
  struct Choice {
    UnitPoint unit;
    ParameterSet parameters;
    bool repeated = false;
  };
  bool add_failures(Surrogate& surrogate, const EncodedHistory& encoded);
  bool is_model_due(const EncodedHistory& history, bool is_pair) const;
  Suggestion space_filling(const History& history, const EncodedHistory& encoded, const std::string& why,
                           Rng& rng);
  std::optional<Suggestion> modelled(const History& history, const EncodedHistory& encoded, double belief,
                                     Rng& rng);
  std::optional<Suggestion> thawed(const History& history, const Surrogate& surrogate,
                                   const EncodedHistory& encoded, const PriceModel& price,
                                   const UnitPoint& unit);
  // The points of the front as the models see it, then the pending ones; and what that front is.
  struct Front {
    Eigen::MatrixXd rows;
    std::vector<LossPair> points;  // as predicted, one for each of the first rows
    LossPair reference;
    std::vector<UnitPoint> incumbents;
  };
  Front front_of_models(const std::array<Surrogate, 2>& surrogates, const EncodedHistory& encoded) const;
  std::optional<Suggestion> modelled_pair(const History& history, const EncodedHistory& encoded, Rng& rng);
  Eigen::MatrixXd baseline(const Surrogate& surrogate, const EncodedHistory& encoded,
                           std::vector<UnitPoint>& incumbents) const;
  Choice choose(const std::vector<Candidate>& candidates, const Acquisition& acquisition,
                const std::set<PointKey>& tried, Rng& rng) const;
  // Writes what the model expects of the choice into the suggestion's texts.
  void describe(const Surrogate& surrogate, const EncodedHistory& encoded, const Choice& choice,
                Suggestion& suggestion) const;
  void describe_pair(const std::array<Surrogate, 2>& surrogates, const Objective& second, std::size_t front,
                     const EncodedHistory& encoded, const Choice& choice, Suggestion& suggestion) const;

  SearchSpace space_;
  Objective objective_;
  Encoding encoding_;
  InitialDesign design_;
  UntriedPoints untried_;
  HistoryEncoder encoder_;
  SurrogateBuilder builder_, second_builder_, failure_builder_;
  bool may_thaw_;
  Thawing thawing_;
};

}  // namespace tune::strategies

#pragma once
// What the curves so far say of the values that trials will end with.
#include <Eigen/Core>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "strategies/gain_model.h"
#include "strategies/output_warp.h"
#include "strategies/rungs.h"
#include "tuner/core/history.h"

namespace tune::strategies {

// What a trial's curve says of its end: as if its final value had been measured with this error. Losses are
// in the metric's units with smaller ones better.
struct CurveEvidence {
  double loss;
  double deviation;  // of the error, > 0
};

// Forecasts ends from curves that were cut short, or go on. Trials are compared at equal fractions of their
// full lengths. From each fraction to the next of 1/32, 1/16, ... 1/2, 1 the gain is predicted by the
// regression of GainModel on the trials that came so far; for data of which ever less is left the
// farther one looks, and of which what is left depends on what was seen, the product of such regressions is
// the likelihood of all of it (Anderson, "Maximum Likelihood Estimates for a Multivariate Normal Distribution
// when Some Observations Are Missing", JASA 52, 1957). Where too few came so far, the values are expected to
// stay as they are, with half of their spread as the error. Values are warped first (OutputWarp), so that
// those of diverged trials do not rule the regressions.
//
// The forecast of an end says what is known of the trial from its curve and from the others' ends. A model of
// the hyperparameters knows the latter already, so evidence() divides it out: the precision of the forecast
// less that of all ends. With this, the process over the hyperparameters that takes an end as f(x), and a
// curve as its end plus what is the trial's own (Swersky et al., "Freeze-Thaw Bayesian Optimization", 2014,
// section 3), is exact without a row for each point of a curve. Curves that tell nothing of the ends, since
// orders turn on the way, have no evidence.
//
// Refers to the history, for one suggestion.
class CurveForecast {
 public:
  static constexpr std::size_t kMostCurves = 100;  // that a regression is of, the last ones
  static constexpr std::size_t kFewestCurves = 4;  // fewer are no regression
  static constexpr double kOwnShare = 0.5;         // of the values' spread: the error where nothing is known
  static constexpr double kLeastInformation = 0.05;  // below so much of a measurement, evidence is none

  // `features`: of each trial of the history, as a model of the hyperparameters sees it; nullptr of one that
  // it does not see. Empty: no part of the gain is expected of the hyperparameters.
  CurveForecast(const History& history, const EarlyStopping& settings,
                const std::vector<const Eigen::VectorXd*>& features = {});

  // nullopt: it has no finite value yet, or its curve tells nothing.
  std::optional<CurveEvidence> evidence(const TrialView& trial);
  // Of the whole training of a trial with a finite value; nullopt for others.
  std::optional<std::int64_t> full_steps(const TrialView& trial) const;

 private:
  struct Forecast {
    double mean, variance;  // of the warped end
  };
  struct Member {
    const TrialView* trial;
    std::int64_t full_steps;
    double fraction;            // how far its curve goes
    std::optional<double> end;  // of a completed one: its warped value
    const Eigen::VectorXd* place;
  };
  struct Hop {
    std::vector<Progress> earlier;
    std::vector<double> gain;             // warped, as the above
    std::optional<GainModel> model = {};  // where there are enough
  };
  std::optional<double> warped_at(const Member& member, double fraction) const;
  const Hop& hop(double from, double to);
  double spread_at(double fraction) const;
  Forecast forecast(const Member& member);
  const Member* find(const TrialView& trial) const;
  void foresee_all();

  Objective objective_;
  double sign_;  // of losses
  Rungs rungs_;
  double correction_;
  std::vector<Member> members_;
  std::unordered_map<const TrialView*, std::size_t> places_;  // in members_
  OutputWarp warp_;
  std::map<std::pair<double, double>, Hop> hops_;
  std::vector<Forecast> forecasts_;  // one a member, once they have been asked for
  double lowest_ = 0, highest_ = 0;  // of their means
  Forecast population_{0, 0};        // of all ends; with forecasts_
};

}  // namespace tune::strategies

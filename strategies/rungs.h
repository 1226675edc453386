#pragma once
// The rungs of successive halving: where trials are compared on their way, and how they stand there.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "strategies/stop_rule.h"
#include "tuner/core/history.h"
#include "tuner/core/search_settings.h"

namespace tune::strategies {

// eta: how many trials there are for each that goes beyond a rung.
int reduction_factor_of(const EarlyStopping& settings);

// Rungs are counted from the end of a training: rung 1 is at 1/eta of its full length, rung 2 at 1/eta^2,
// with eta the spec's reduction_factor, down to `start_step`, or to a tenth of the length without one. Trials
// of different lengths meet at equal fractions, since their schedules (a decay of the learning rate) span
// their own lengths.
//
// The full length is what the spec says (max_step), corrected by what completed trials show: the longest of
// them, relative to what was said of it. Without either there are no rungs yet.
//
// Brackets (Li et al., "Hyperband", JMLR 18, 2018, algorithm 1): a trial of bracket s meets no rung but the
// highest ones, s fewer than there are; the numbers of trials are those of algorithm 1, dealt out one by one.
//
// Everything follows from the settings and the history. Owned by a rule or a strategy, on its thread; const
// members keep what they have seen of trials.
//
// eta is 3, and 2 where trials that fall behind are paused, but for brackets: what a pause takes back costs
// little, and at the first values a third of all trials often misses the best one.
class Rungs {
 public:
  Rungs(const EarlyStopping& settings, const Objective& objective);

  // How a trial stands at a rung that it has reached. NaN: it has diverged.
  struct Standing {
    const TrialView* trial;
    double value;
  };

  // What a declared length, or 1 without one, is multiplied by, as completed trials show; 0 where nothing is
  // known.
  double correction(const History& history) const;
  // The last step of the full training of a trial with these parameters; nullopt while nothing says.
  std::optional<std::int64_t> full_steps(const ParameterSet& parameters, double correction) const;
  std::optional<std::int64_t> full_steps(const ParameterSet& parameters, const History& history) const {
    return full_steps(parameters, correction(history));
  }
  // The steps of the rungs of a training of so many steps, by rung: the first element is rung 1, the highest.
  std::vector<std::int64_t> steps(std::int64_t full_steps) const;
  // As many as a trial of this bracket meets.
  std::vector<std::int64_t> steps_of(const TrialView& trial, const History& history) const;
  // Those that trials without a bracket meet; without steps where the lengths of trainings differ.
  std::optional<RungPlan> plan(const History& history) const;

  // A trial, and how it stood at each rung of its bracket; nullopt at those that it has not reached.
  struct Climber {
    std::shared_ptr<const TrialView> trial;
    int number = 0;
    TrialState state = TrialState::kQueued;
    double length = 0;          // of one that shows how long a training is: relative to what was declared
    std::optional<double> end;  // of such a one: its value
    std::size_t bracket = 0;
    // By rung, up to those of its bracket; null of one that does not count: it has failed, has no curve, or
    // nothing says how long it is.
    std::shared_ptr<const std::vector<std::int64_t>> steps;
    std::vector<std::optional<double>> values;  // by rung
  };
  // One for each trial of the history; good until the next call of any member. Those that have not changed
  // since the last call are not looked at: 10,000 views lie in 10,000 places of memory.
  const std::vector<Climber>& climbers(const History& history) const;

  // The highest rung that the curve has reached: its place in `steps`; nullopt for none.
  static std::optional<std::size_t> reached_rung(const std::vector<MetricPoint>& curve,
                                                 const std::vector<std::int64_t>& steps);
  // How the other trials of this trial's bracket stood at a rung. Failed ones are left out, since their
  // curves end in whatever broke them.
  std::vector<Standing> others_at(std::size_t rung, const TrialView& trial, const History& history) const;

  // Whether a trial of this number, a power of four, runs to its end to show what its first values were
  // worth.
  static bool is_probe(int trial);
  static constexpr int kProbes = 4;
  // Whether the order at a rung says something about the order at the end: false where, among the last
  // kMostEnds completed trials, Kendall's tau between both, shrunk as if kPriorPairs more pairs had had half
  // of a perfect order, is below kLeastTau.
  bool is_trusted(std::size_t rung, const History& history) const;
  static constexpr std::size_t kMostEnds = 64;
  static constexpr double kPriorPairs = 6, kLeastTau = 0.15;

  int reduction_factor() const { return factor_; }
  const Objective& objective() const { return objective_; }

 private:
  bool is_declared() const { return settings_.max_step || !settings_.max_step_parameter.empty(); }
  std::int64_t declared_steps(const ParameterSet& parameters) const;
  std::vector<std::int64_t> steps_of(const TrialView& trial, double correction) const;
  Climber seen(const std::shared_ptr<const TrialView>& trial) const;
  void place(Climber& climber, double correction) const;
  std::size_t bracket_of(int trial, std::size_t rungs) const;

  EarlyStopping settings_;
  int factor_;
  Objective objective_;
  // Of the history seen last; they change no answer.
  mutable std::vector<Climber> climbers_;
  mutable double correction_ = -1;
  mutable std::shared_ptr<const std::vector<std::int64_t>> usual_steps_;  // most trials have the same length
  mutable std::int64_t usual_length_ = -1;
};

}  // namespace tune::strategies

#include "tuner/engine/study/stopping_share.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "strategies/stop_rule.h"
#include "strategies/strategy.h"
#include "tuner/core/rng.h"

namespace tune::engine {
namespace {

constexpr int kSearches = 20;     // the fifth and ninety-fifth of a hundred are their second and last but one
constexpr int kMostTrials = 200;  // the share of more is hardly another
constexpr std::int64_t kMostSteps = 200;

struct MadeTrial {
  TrialView view;
  double end = 0, error = 0;
};

// One search in lockstep: each round every running trial has one more evaluation.
class MadeSearch {
 public:
  MadeSearch(const Spec& spec, int trials, int parallel, std::int64_t steps, std::uint64_t seed)
      : objective_(spec.objective),
        trials_(trials),
        parallel_(parallel),
        steps_(steps),
        rng_(seed),
        rule_(strategies::make_stop_rule(with_length(spec.early_stopping, steps), spec.objective)),
        strategy_(strategies::make_study_strategy(drawn_at_random(), spec.space,
                                                  with_length(spec.early_stopping, steps), std::nullopt,
                                                  spec.objective, seed)) {
    history_.objective = objective_;
  }

  double share() {
    while (begin_trials())
      for (MadeTrial& trial : made_)
        if (trial.view.state == TrialState::kRunning) advance(trial);
    return static_cast<double>(taken_) / static_cast<double>(steps_ * trials_);
  }

 private:
  static EarlyStopping with_length(EarlyStopping rule, std::int64_t steps) {
    rule.max_step = steps;
    rule.max_step_parameter.clear();
    return rule;
  }
  // Where trials lie does not matter to the rule.
  static StrategySpec drawn_at_random() {
    StrategySpec strategy;
    strategy.name = "random";
    return strategy;
  }

  int running() const {
    return static_cast<int>(std::count_if(made_.begin(), made_.end(), [](const MadeTrial& trial) {
      return trial.view.state == TrialState::kRunning;
    }));
  }

  // False once nothing runs and nothing more begins.
  bool begin_trials() {
    while (running() < parallel_) {
      history_.may_begin = static_cast<int>(made_.size()) < trials_;
      Rng rng = rng_;
      strategies::Answer answer = strategy_->suggest(history_, rng);
      rng_();
      auto* suggestion = std::get_if<strategies::Suggestion>(&answer);
      if (suggestion == nullptr) break;
      if (suggestion->resume_trial) {
        MadeTrial& paused = made_.at(static_cast<std::size_t>(*suggestion->resume_trial - 1));
        paused.view.state = TrialState::kRunning;
        publish(paused);
        continue;
      }
      if (!history_.may_begin) break;
      MadeTrial trial;
      trial.view.number = static_cast<int>(made_.size()) + 1;
      trial.view.parameters = suggestion->parameters;
      trial.view.state = TrialState::kRunning;
      trial.end = rng_.normal();
      trial.error = rng_.normal();
      made_.push_back(trial);
      history_.trials.push_back(std::make_shared<TrialView>(made_.back().view));
    }
    return running() > 0;
  }

  void advance(MadeTrial& trial) {
    TrialView& view = trial.view;
    const auto step = static_cast<std::int64_t>(view.curve.size()) + 1;
    const double left = 1 - static_cast<double>(step) / static_cast<double>(steps_);
    view.curve.push_back({step, trial.end + left * trial.error});
    ++taken_;
    if (step == steps_) {
      view.state = TrialState::kCompleted;
      view.values = reached_values(view.curve, {}, objective_, std::nullopt);
      return publish(trial);
    }
    const strategies::Verdict verdict = rule_->judge(view, history_);
    if (verdict.action != strategies::Action::kGoOn) {
      view.state = verdict.action == strategies::Action::kPause ? TrialState::kPaused : TrialState::kStopped;
      view.values = reached_values(view.curve, {}, objective_, std::nullopt);
    }
    publish(trial);
  }

  void publish(const MadeTrial& trial) {
    history_.trials[static_cast<std::size_t>(trial.view.number - 1)] =
        std::make_shared<TrialView>(trial.view);
  }

  const Objective objective_;
  const int trials_, parallel_;
  const std::int64_t steps_;
  Rng rng_;
  std::unique_ptr<strategies::StopRule> rule_;
  std::unique_ptr<strategies::Strategy> strategy_;
  History history_;
  std::vector<MadeTrial> made_;
  std::int64_t taken_ = 0;
};

}  // namespace

StoppingShare stopping_share(const Spec& spec, int trials, int parallel, std::int64_t evaluations) {
  if (spec.early_stopping.rule == "none" || trials < 1 || evaluations < 2) return {};
  std::vector<double> shares;
  for (int search = 0; search < kSearches; ++search)
    shares.push_back(MadeSearch(spec, std::min(trials, kMostTrials), std::max(1, parallel),
                                std::min(evaluations, kMostSteps), static_cast<std::uint64_t>(search + 1))
                         .share());
  std::sort(shares.begin(), shares.end());
  return {std::accumulate(shares.begin(), shares.end(), 0.0) / kSearches, shares[1], shares[kSearches - 2]};
}

}  // namespace tune::engine

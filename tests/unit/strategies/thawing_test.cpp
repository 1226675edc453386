#include "strategies/thawing.h"

#include <cmath>

#include "conformance/sample_spaces.h"
#include "strategies/bayesian_strategy.h"
#include "strategies/price_model.h"
#include "strategies/promoting.h"
#include "support/catch.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

EarlyStopping pausing_at_thirds() {
  EarlyStopping rule;
  rule.reduction_factor = 3;
  rule.rule = "asha";
  rule.form = StopForm::kPause;
  rule.max_step = 27;
  return rule;
}

void add_flat(History& history, double x, TrialState state, double value, std::int64_t steps) {
  add_trial(history, {{"x0", x}}, state, {value});
  auto trial = std::make_shared<TrialView>(*history.trials.back());
  for (std::int64_t step = 1; step <= steps; ++step) trial->curve.push_back({step, value});
  history.trials.back() = std::move(trial);
}

}  // namespace

TEST_CASE("The price of a training goes to its next rung, and to its end where it improves") {
  const Thawing thawing(pausing_at_thirds(), minimize());  // rungs at steps 3 and 9
  CHECK(thawing.expected_price(0, 27, 0) == Approx(3 / 27.0));
  CHECK(thawing.expected_price(0, 27, 0.5) == Approx((3 + 24 / 2.0) / 27));
  CHECK(thawing.expected_price(3, 27, 0.5) == Approx((6 + 18 / 2.0) / 27));
  CHECK(thawing.expected_price(9, 27, 0.5) == Approx(18 / 27.0));
  CHECK(thawing.expected_price(27, 27, 1) == 0);
}

TEST_CASE("A paused trial goes on where it promises more for its price than a new point") {
  const Thawing thawing(pausing_at_thirds(), minimize());
  History history{minimize(), {}};
  add_flat(history, 0.1, TrialState::kPaused, 0.5, 3);
  add_flat(history, 0.2, TrialState::kPaused, 0.1, 3);
  const std::vector<PausedTrial> paused{{history.trials[0].get(), {0.5, 0.01}},
                                        {history.trials[1].get(), {-0.5, 0.01}}};
  const auto better = thawing.choose(paused, {0.2, 0.01}, 0, 0, history);
  REQUIRE(better);
  CHECK(better->trial->number == 2);
  CHECK(thawing.choose(paused, {-0.5, 0.01}, 0, 0, history));  // as good, and part of the way is gone
  CHECK_FALSE(thawing.choose(paused, {-2, 0.01}, 0, 0, history));
  // One that takes ten times as long as the new one has to promise more.
  CHECK_FALSE(
      thawing.choose({{history.trials[1].get(), {-0.5, 0.01}, std::log(10)}}, {-0.5, 0.01}, 0, 0, history));
  CHECK_FALSE(thawing.choose({}, {0.2, 0.01}, 0, 0, history));
}

TEST_CASE("A search that learns from curves resumes the paused trial that is likely the best of all") {
  EarlyStopping rule = pausing_at_thirds();
  const auto strategy =
      with_promotions(std::make_unique<BayesianStrategy>(cube(1), minimize(), 1, rule), rule, minimize());
  History history{minimize(), {}};
  // The value is the distance from 0.7, from the first step on.
  for (const double x : {0.05, 0.2, 0.35, 0.5, 0.9}) {
    add_flat(history, x, TrialState::kCompleted, std::abs(x - 0.7), 27);
  }
  for (const double x : {0.68, 0.7, 0.73, 0.4, 0.3})
    add_flat(history, x, TrialState::kPaused, std::abs(x - 0.7), 9);
  Rng rng(1, 11);
  const auto suggestion = std::get<Suggestion>(strategy->suggest(history, rng));
  CHECK(suggestion.resume_trial == 7);
  CHECK(suggestion.note.find("promises more") != std::string::npos);
}

TEST_CASE("What another study has completed does not make new points better than paused trials") {
  EarlyStopping rule = pausing_at_thirds();
  rule.rule = "asha";
  const auto strategy =
      with_promotions(std::make_unique<BayesianStrategy>(cube(1), minimize(), 1, rule), rule, minimize());
  History history{minimize(), {}};
  for (const double x : {0.05, 0.2, 0.35, 0.5, 0.9})
    add_flat(history, x, TrialState::kCompleted, std::abs(x - 0.7), 27);
  history.borrowed = history.trials.size();
  for (const double x : {0.1, 0.3, 0.6, 0.68, 0.8, 0.95})
    add_flat(history, x, TrialState::kPaused, std::abs(x - 0.7), 9);
  Rng rng(1, 11);
  const auto suggestion = std::get<Suggestion>(strategy->suggest(history, rng));
  CHECK(suggestion.resume_trial);
}

TEST_CASE("A model of prices tells dear hyperparameters from cheap ones") {
  CHECK(PriceModel().log_price(Eigen::VectorXd::Ones(2)) == 0);
  Eigen::MatrixXd features(20, 2);
  std::vector<double> prices;
  Rng rng(1, 1);
  for (Eigen::Index i = 0; i < features.rows(); ++i) {
    features.row(i) << rng.uniform(), rng.uniform();
    prices.push_back(30 * std::exp(2 * features(i, 0)));
  }
  const PriceModel model = PriceModel::fit(features, prices);
  const double ratio = model.log_price(Eigen::Vector2d(1, 0.5)) - model.log_price(Eigen::Vector2d(0, 0.5));
  CHECK(ratio == Approx(2).margin(0.25));
  const double other = model.log_price(Eigen::Vector2d(0.5, 1)) - model.log_price(Eigen::Vector2d(0.5, 0));
  CHECK(other == Approx(0).margin(0.1));
}

#include "strategies/curve_gain.h"

#include "conformance/sample_spaces.h"
#include "strategies/encoded_history.h"
#include "support/catch.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

void add_curve(History& history, TrialState state, std::vector<double> values) {
  add_trial(history, {{"x0", 0.1 * static_cast<double>(history.trials.size())}}, state, {values.back()});
  auto trial = std::make_shared<TrialView>(*history.trials.back());
  for (std::size_t i = 0; i < values.size(); ++i)
    trial->curve.push_back({static_cast<std::int64_t>(i + 1), values[i]});
  history.trials.back() = std::move(trial);
}

}  // namespace

TEST_CASE("The gain after a step is the median of what completed trials gained") {
  History history{maximize(), {}};
  CHECK(CurveGain(history).after(1) == 0);
  add_curve(history, TrialState::kCompleted, {0.1, 0.3, 0.5});
  add_curve(history, TrialState::kCompleted, {0.2, 0.3, 0.8});
  add_curve(history, TrialState::kCompleted, {0.3, 0.4, 0.4});
  add_curve(history, TrialState::kStopped, {0.0, 9.0});
  CurveGain gain(history);
  CHECK(gain.after(1) == Approx(0.4));
  CHECK(gain.after(2) == Approx(0.2));
  CHECK(gain.after(3) == 0);
}

TEST_CASE("A stopped trial is modelled with the loss that it would have ended with") {
  const SearchSpace space = cube(1);
  const Encoding encoding(space);
  HistoryEncoder encoder(space, encoding);
  History history{maximize(), {}};
  add_curve(history, TrialState::kCompleted, {0.1, 0.3, 0.5});
  add_curve(history, TrialState::kStopped, {0.2});
  const EncodedHistory encoded = encoder.encode(history, Goal::kMaximize);
  REQUIRE(encoded.observations.size() == 2);
  CHECK(encoded.observations.losses[0] == Approx(-0.5));
  CHECK(encoded.observations.losses[1] == Approx(-0.6));
}

TEST_CASE("A paused trial tells what it would have reached, one that has reached nothing is pending") {
  const SearchSpace space = cube(1);
  const Encoding encoding(space);
  HistoryEncoder encoder(space, encoding);
  History history{maximize(), {}};
  add_curve(history, TrialState::kCompleted, {0.1, 0.3, 0.5});
  add_curve(history, TrialState::kPaused, {0.2});
  add_trial(history, {{"x0", 0.9}}, TrialState::kPaused, {});
  const EncodedHistory encoded = encoder.encode(history, Goal::kMaximize);
  REQUIRE(encoded.observations.size() == 2);
  CHECK(encoded.observations.losses[1] == Approx(-0.6));
  CHECK(encoded.pending.rows() == 1);
}

#include "tuner/report/numbers/cost.h"

#include "support/catch.h"
#include "tuner/report/text/study_summary.h"
#include "unit/report/priced_study.h"

namespace tune::report {
namespace {

using store::attempt_row;

TEST_CASE("device hours count every device of a lease, and one where there is none", "[cost]") {
  const StudyRows rows = priced_study();
  const CostReport costs(rows.trials, rows.attempts, 3.6);
  CHECK(costs.of(2).total.device_hours == Approx(100.0 / 3600));
  CHECK(costs.of(2).total.lease_seconds == 50);
  CHECK(*costs.of(2).total.usd == Approx(0.1));
  CHECK(costs.of(1).total.device_hours == Approx(110.0 / 3600));
  CHECK(*costs.total().usd == Approx(0.235));
}

TEST_CASE("stopped, failed and repeated work is listed apart and adds up to the total", "[cost]") {
  const StudyRows rows = priced_study();
  const CostReport costs(rows.trials, rows.attempts, 3.6);
  CHECK(*costs.of(TrialState::kStopped).usd == Approx(0.02));
  CHECK(*costs.of(TrialState::kFailed).usd == Approx(0.005));
  CHECK(*costs.retried().usd == Approx(0.01));
  CHECK(*costs.of(1).retried.usd == Approx(0.01));
  CHECK(*costs.of(2).retried.usd == 0);
  const double sum = *costs.of(TrialState::kCompleted).usd + *costs.of(TrialState::kStopped).usd +
                     *costs.of(TrialState::kFailed).usd;
  CHECK(sum == Approx(*costs.total().usd));
}

TEST_CASE("a running attempt is billed until now, never below zero, and an ended one as it was", "[cost]") {
  std::vector<store::AttemptRow> attempts = {leased(1, 1, 10), attempt_row(2, 1), attempt_row(3, 1)};
  attempts[1].state = attempts[2].state = store::AttemptState::kRunning;
  attempts[1].started = store::at(1000);
  attempts[2].started = store::at(9000);
  bill_running(attempts, store::at(3500));
  CHECK(attempts[0].lease_seconds == 10);
  CHECK(attempts[1].lease_seconds == 2.5);
  CHECK(attempts[2].lease_seconds == 0);
}

TEST_CASE("without a price there are hours and no dollars", "[cost]") {
  StudyRows rows = priced_study();
  rows.study.spec.erase("cost");
  CHECK_FALSE(usd_per_hour(rows.study).has_value());
  const CostReport costs(rows.trials, rows.attempts, usd_per_hour(rows.study));
  CHECK_FALSE(costs.total().usd.has_value());
  CHECK(costs.total().device_hours > 0);
  CHECK(run_summary(rows, std::nullopt, 0).find('$') == std::string::npos);
}

}  // namespace
}  // namespace tune::report

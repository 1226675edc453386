#include "tuner/report/numbers/rung_counts.h"

#include "support/catch.h"
#include "unit/report/priced_study.h"

namespace tune::report {
namespace {

std::vector<MetricPoint> up_to(std::int64_t step) {
  std::vector<MetricPoint> curve;
  for (std::int64_t s = 1; s <= step; ++s) curve.push_back({s, 0.5});
  return curve;
}

}  // namespace

TEST_CASE("trials are counted at each rung that they reached, and where the rule had them end or wait") {
  StudyRows rows = priced_study();
  rows.trials.push_back(ended(5, TrialState::kPaused, {0.7}));
  rows.attempts[3].stop = StopReason::kRule;  // of trial 3
  // Neither a replicate nor a repeat is one of the search's.
  rows.trials.push_back(ended(6, TrialState::kCompleted, {0.7}));
  rows.trials.back().facts.replicate_of = 1;
  rows.trials.push_back(ended(7, TrialState::kCompleted, {0.7}));
  rows.trials.back().facts.rerun_of = 1;
  const std::map<int, std::vector<MetricPoint>> curves{{1, up_to(9)}, {2, up_to(9)}, {3, up_to(4)},
                                                       {5, up_to(1)}, {6, up_to(9)}, {7, up_to(9)}};
  CHECK(rung_counts(rows, curves).empty());
  rows.study.facts.rungs = store::RungFacts{{1, 3}, 9};
  const std::vector<RungCount> counts = rung_counts(rows, curves);
  REQUIRE(counts.size() == 3);
  CHECK(counts[0].step == 1);
  CHECK(counts[0].reached == 4);
  CHECK(counts[0].waiting == 1);
  CHECK(counts[0].stopped == 0);
  CHECK(counts[1].reached == 3);
  CHECK(counts[1].stopped == 1);
  CHECK(counts[2].step == 9);
  CHECK(counts[2].reached == 2);
}

}  // namespace tune::report

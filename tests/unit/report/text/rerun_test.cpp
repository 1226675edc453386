#include "tuner/report/text/rerun.h"

#include <cmath>

#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::report {
namespace {

const Objective kRepeatedLoss{"loss", Goal::kMinimize, Reduce::kBest};

std::vector<store::MetricRow> curve(int trial, const std::vector<double>& values,
                                    const std::string& name = "loss") {
  std::vector<store::MetricRow> rows;
  for (std::size_t i = 0; i < values.size(); ++i)
    rows.push_back(store::metric_row(trial, name, static_cast<std::int64_t>(i) + 1, values[i]));
  return rows;
}

RerunComparison compared(const std::vector<double>& before, const std::vector<double>& after) {
  return compare_rerun(store::completed(store::trial_row(1), before.back()), curve(1, before),
                       store::completed(store::trial_row(4), after.back()), curve(4, after), kRepeatedLoss);
}

TEST_CASE("a rerun with the same points is the same bit for bit, and one with any other is not") {
  const RerunComparison same = compared({0.5, 0.25}, {0.5, 0.25});
  CHECK(same.is_same);
  CHECK(same.text == "the same result bit for bit: 2 points of loss, 0.25");
  CHECK(same.json.at("same") == true);
  const RerunComparison nan = compared({std::nan(""), 0.25}, {std::nan(""), 0.25});
  CHECK(nan.is_same);
  const RerunComparison close = compared({0.5, 0.25}, {std::nextafter(0.5, 1), 0.25});
  CHECK_FALSE(close.is_same);
  CHECK(close.json.at("first_difference") == 1);
  CHECK(close.json.at("largest_difference") == std::nextafter(0.5, 1) - 0.5);
}

TEST_CASE("how much a rerun differs is told, and where it began") {
  const RerunComparison other = compared({0.5, 0.25, 0.125}, {0.5, 0.375, 0.25});
  CHECK_FALSE(other.is_same);
  CHECK(
      other.text ==
      "another result: loss 0.125, now 0.25 (+0.125); first at step 2, 0.25 and now 0.375; by at most 0.125");
  CHECK(compared({0.5, 0.25}, {0.5}).text.find("2 points, now 1") != std::string::npos);
  // Differences have a difference's digits, and the values all of theirs.
  const std::string text = compared({0.36667}, {0.38334}).text;
  CHECK(
      text ==
      "another result: loss 0.36667, now 0.38334 (+0.01667); first at step 1, 0.36667 and now 0.38334; by at "
      "most 0.01667");
}

TEST_CASE("another end of a rerun is told, and that it has not ended") {
  store::TrialRow failed = store::trial_row(1);
  failed.state = TrialState::kFailed;
  failed.failure = "crash";
  const RerunComparison end =
      compare_rerun(failed, {}, store::completed(store::trial_row(4), 0.25), curve(4, {0.25}), kRepeatedLoss);
  CHECK_FALSE(end.is_same);
  CHECK(end.text.starts_with(
      "another result: it was failed (crash), and is completed now; loss no value, now 0.25"));
  const RerunComparison open = compare_rerun(failed, {}, store::trial_row(4), {}, kRepeatedLoss);
  CHECK(open.json.at("same") == nullptr);
  CHECK(open.text == "it is queued, and nothing can be compared yet");
  failed.facts.deleted = store::Deletion{"ada@host", store::at(1)};
  CHECK(compare_rerun(failed, {}, store::trial_row(4), {}, kRepeatedLoss).text.find("was deleted") !=
        std::string::npos);
}

TEST_CASE("other metrics that differ are named, but for what is said for the bill") {
  std::vector<store::MetricRow> before = curve(1, {0.25}), after = curve(4, {0.25});
  for (auto* rows : {&before, &after}) {
    const double noise = rows == &after ? 1 : 0;
    for (const auto& row : curve(1, {3 + noise}, "speed")) rows->push_back(row);
    for (const auto& row : curve(1, {5 + noise}, "seconds:validation")) rows->push_back(row);
  }
  const RerunComparison result =
      compare_rerun(store::completed(store::trial_row(1), 0.25), before,
                    store::completed(store::trial_row(4), 0.25), after, kRepeatedLoss);
  CHECK(result.is_same);
  CHECK(result.text.ends_with(", 0.25, but other values of speed"));
  CHECK(result.json.at("other_metrics_that_differ") == Json({"speed"}));
}

TEST_CASE(
    "a rerun with other values of the second objective is not the same, but for the time that it took") {
  std::vector<store::MetricRow> before = curve(1, {0.25}), after = curve(4, {0.25});
  for (const auto& row : curve(1, {3}, "size")) before.push_back(row);
  for (const auto& row : curve(4, {4}, "size")) after.push_back(row);
  const auto result = [&](const std::string& second) {
    return compare_rerun(store::completed(store::trial_row(1), 0.25), before,
                         store::completed(store::trial_row(4), 0.25), after, kRepeatedLoss,
                         Objective{second, Goal::kMinimize, Reduce::kBest});
  };
  CHECK_FALSE(result("size").is_same);
  CHECK(result("size").json.at("same") == false);
  CHECK(result("size").text == "another result: loss 0.25; other values of size");
  CHECK(result("device_seconds").is_same);
}

}  // namespace
}  // namespace tune::report

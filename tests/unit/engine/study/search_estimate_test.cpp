#include "tuner/engine/study/search_estimate.h"

#include "support/catch.h"
#include "tuner/engine/study/stopping_share.h"

namespace tune::engine {
namespace {

Parameter parameter(const std::string& name, double least, double most) {
  Parameter made;
  made.name = name;
  made.type = ParameterType::kInt;
  made.min = least;
  made.max = most;
  return made;
}

Parameter choice(const std::string& name, std::vector<Json> values) {
  Parameter made;
  made.name = name;
  made.type = ParameterType::kCategorical;
  made.values = std::move(values);
  return made;
}

const Json kRows = Json::array({{{"name", "batch_size"}, {"weighs", true}},
                                {{"name", "rank"}, {"weighs", true}},
                                {{"name", "optimizer"}, {"weighs", true}},
                                {{"name", "momentum"}}});

PointEstimate point(const std::string& name, double seconds) {
  return {name,
          {},
          {{"memory", {{"total_bytes", 1}}}, {"time", {{"seconds", seconds}, {"least_seconds", seconds}}}}};
}

TEST_CASE("the middle and both corners of what weighs are asked about, and each value of a choice") {
  Spec spec;
  spec.space = SearchSpace({parameter("batch_size", 2, 10), parameter("momentum", 0, 4),
                            parameter("rank", 1, 9), choice("optimizer", {"sgd", "adam", "adamw"})});
  const std::vector<SpacePoint> points = points_to_estimate(spec, kRows);
  REQUIRE(points.size() == 5);
  CHECK(points[0].name == "middle");
  CHECK(points[0].parameters ==
        ParameterSet{{"batch_size", 6}, {"momentum", 2}, {"rank", 5}, {"optimizer", "adam"}});
  CHECK(points[1].name == "smallest");
  CHECK(points[1].parameters ==
        ParameterSet{{"batch_size", 2}, {"momentum", 2}, {"rank", 1}, {"optimizer", "sgd"}});
  CHECK(points[2].name == "largest");
  CHECK(points[2].parameters ==
        ParameterSet{{"batch_size", 10}, {"momentum", 2}, {"rank", 9}, {"optimizer", "adamw"}});
  CHECK(points[3].name == "optimizer sgd");
  CHECK(points[4].name == "optimizer adamw");
}

TEST_CASE("of a space in which nothing weighs the middle alone is asked about") {
  Spec spec;
  spec.space = SearchSpace({parameter("momentum", 0, 4)});
  CHECK(points_to_estimate(spec, kRows).size() == 1);
}

TEST_CASE("the mean time over a space is that of a quadratic between its corners") {
  // x * x over [0, 4]: 16 / 3.
  const Range range = mean_seconds({point("middle", 4), point("smallest", 0), point("largest", 16)});
  CHECK(range.expected == Approx(16.0 / 3));
  CHECK(range.low == 0);
  CHECK(range.high == 16);
  // A choice that takes twice as long counts as often as the one in the middle.
  CHECK(mean_seconds({point("middle", 4), point("optimizer adam", 8)}).expected == Approx(6));
  CHECK(mean_seconds({point("middle", 4)}).expected == Approx(4));
}

TEST_CASE("a device holds as many trials as fit beside each other") {
  CHECK(trials_that_fit(80, 30) == 2);
  CHECK(trials_that_fit(30, 30) == 1);
  CHECK(trials_that_fit(29, 30) == 0);
  CHECK(trials_that_fit(29, 0) == 0);
}

Spec stopping_spec(const std::string& rule) {
  Spec spec;
  spec.space = SearchSpace({parameter("rank", 1, 1000)});
  spec.objective = {"loss", Goal::kMinimize, Reduce::kBest};
  spec.early_stopping.rule = rule;
  return spec;
}

TEST_CASE("without a rule every trial takes all of its steps") {
  const StoppingShare share = stopping_share(stopping_spec("none"), 20, 2, 27);
  CHECK(share.mean == 1);
  CHECK(share.low == 1);
  CHECK(share.high == 1);
}

TEST_CASE("a rule takes a share of all steps, within its own bounds, and always the same") {
  for (const char* rule : {"median", "asha", "auto"}) {
    CAPTURE(rule);
    const StoppingShare share = stopping_share(stopping_spec(rule), 30, 2, 27);
    CHECK(share.mean > 0.1);
    CHECK(share.mean < 0.95);
    CHECK(share.low <= share.mean);
    CHECK(share.high >= share.mean);
    CHECK(share.high <= 1);
    CHECK(stopping_share(stopping_spec(rule), 30, 2, 27).mean == share.mean);
  }
  // Successive halving that stops: of all trials those of the first rung at the least, a ninth of 27 steps.
  Spec spec = stopping_spec("asha");
  spec.early_stopping.form = StopForm::kStop;
  spec.early_stopping.reduction_factor = 3;
  const StoppingShare asha = stopping_share(spec, 60, 1, 27);
  CHECK(asha.low > 3.0 / 27);
  CHECK(asha.mean < 0.7);
}

TEST_CASE("a training of one evaluation is never stopped") {
  CHECK(stopping_share(stopping_spec("median"), 20, 2, 1).mean == 1);
}

}  // namespace
}  // namespace tune::engine

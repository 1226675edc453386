#include "tuner/report/text/trial_selection.h"

#include "support/catch.h"
#include "tuner/report/text/trial_table.h"
#include "unit/report/priced_study.h"

namespace tune::report {
namespace {

// Learning rates 0.001 to 0.004; completed 0.25 and 0.4125, stopped 0.9, failed.
Json study() {
  StudyRows rows = priced_study();
  rows.trials[3].parameters["optimizer"] = "adam";
  rows.others = {{"loss", {{1, 3.0}, {2, 2.0}}}};
  return trials_json(rows);
}

std::vector<std::size_t> selected(const TrialSelection& selection) {
  return select_trials(study(), selection);
}
using Places = std::vector<std::size_t>;

TEST_CASE("trials are chosen by state and by conditions on any column", "[report]") {
  CHECK(selected({}) == Places{0, 1, 2, 3});
  CHECK(selected({.states = {"completed", "failed"}}) == Places{0, 1, 3});
  CHECK(selected({.conditions = {"learning_rate<=2e-3"}}) == Places{0, 1});
  CHECK(selected({.conditions = {"optimizer=sgd", "learning_rate > 0.001"}}) == Places{1, 2});
  CHECK(selected({.conditions = {"optimizer!=sgd"}}) == Places{3});
  CHECK(selected({.conditions = {"reason~THE MEDIAN"}}) == Places{2});
  CHECK(selected({.conditions = {"loss<2.5"}}) == Places{1});
  CHECK(selected({.conditions = {"loss!=2"}}) == Places{0, 2, 3});
}

TEST_CASE("trials are sorted by any column, those without a value last, and cut", "[report]") {
  CHECK(selected({.sort = "value", .is_descending = true}) == Places{2, 1, 0, 3});
  CHECK(selected({.sort = "value"}) == Places{0, 1, 2, 3});
  CHECK(selected({.sort = "validation:mAP", .is_descending = true}) == Places{2, 1, 0, 3});  // the objective
  CHECK(selected({.sort = "loss", .limit = 2}) == Places{1, 0});
  CHECK(selected({.sort = "optimizer"}) == Places{3, 0, 1, 2});
}

TEST_CASE("what is no state, condition or column is said with what is near", "[report]") {
  const auto message = [](const TrialSelection& selection) {
    return store::message_of([&] { selected(selection); });
  };
  CHECK(message({.states = {"complete"}}) == "\"complete\" is no state of a trial");
  CHECK(message({.conditions = {"learning_rate"}}) == "\"learning_rate\" is no condition");
  CHECK(message({.conditions = {"learning_rat<1"}}) == "the trials have no column \"learning_rat\"");
  CHECK(message({.sort = "lr"}) == "the trials have no column \"lr\"");
}

}  // namespace
}  // namespace tune::report

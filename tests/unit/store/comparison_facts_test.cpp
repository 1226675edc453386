// What a comparison's record tells, as it lies on the disk.
#include "store/comparison_facts.h"

#include "support/catch.h"

namespace tune::store {
namespace {

// Every member that a version has written.
const char* const kWhole = R"({
  "weights": {"scratch": "", "legacy": "ab12"},
  "data": {"data/train": "cd34", "data/test": "ef56+78"},
  "trainer": {"version": "0.9.0", "libtorch": "2.13"},
  "task": {"name": "detection", "unit": "images", "primary": {"name": "AP", "goal": "maximize"}, "audit": true},
  "audit": {"test_images": 120, "crossing_overlaps": 2, "warnings": ["data/train: 3 boxes without area"]},
  "probes": {"legacy": {"host: cpu": {"precision": "fp32", "lease_seconds": 2.5}}},
  "forecast": {"c.legacy.defaults": {"trials": 3, "device_hours": 1.5, "at_most": false}},
  "forecast_predicting": {"models": 3, "device_hours": 0.1, "at_most": true},
  "training_since": "2026-11-21T10:00:00Z",
  "not_begun": {"c.legacy.random": "not begun"},
  "cut_by_budget": {"c.legacy.search": "ended after 3 trials"},
  "had_budget": true, "budget_was_raised": true, "looks_before": 1, "scoring_seconds_before": 12.5})";

TEST_CASE("the facts of a comparison are read and written as they lie on the disk", "[comparison-facts]") {
  const Json whole = Json::parse(kWhole);
  CHECK(to_json(comparison_facts(whole)) == whole);
  for (const auto& [key, value] : whole.items()) {
    CAPTURE(key);
    Json without = whole;
    without.erase(key);
    CHECK(to_json(comparison_facts(without)) == without);
    CHECK(to_json(comparison_facts({{key, value}})) == Json{{key, value}});
  }
  CHECK(to_json(ComparisonFacts()) == Json::object());
  const Json no_audit = {{"audit", {{"none", "there is none"}}}};
  CHECK(to_json(comparison_facts(no_audit)) == no_audit);
}

TEST_CASE("what the facts of a comparison mean has names", "[comparison-facts]") {
  const ComparisonFacts facts = comparison_facts(Json::parse(kWhole));
  CHECK(facts.weights.at("legacy") == "ab12");
  CHECK(facts.audit.value().crossing_overlaps == 2);
  CHECK(facts.was_cut());
  CHECK(facts.forecast_of("c.legacy.defaults").trials == 3);
  CHECK_FALSE(facts.forecast_of("c.other").device_hours);
  CHECK(facts.probes_of("legacy").contains("host: cpu"));
  CHECK(probe_in(facts.probes, "legacy", "host: cpu").value().lease_seconds == 2.5);
  CHECK_FALSE(probe_in(facts.probes, "legacy", "another host: cpu"));
  CHECK(ComparisonFacts().probes_of("legacy").empty());
  CHECK_FALSE(ComparisonFacts().was_cut());
}

}  // namespace
}  // namespace tune::store

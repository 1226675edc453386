// Two objectives in place of one, and which trial of their front is to be promoted.
#include "support/catch.h"
#include "support/schema_validator.h"
#include "support/spec_text.h"

using namespace tune;
using namespace tune::tests;

namespace {

using Catch::Matchers::Contains;

OrderedJson document_of_two() {
  OrderedJson document = valid_document();
  document.erase("objective");
  document["objectives"] = OrderedJson::parse(
      R"([{"metric": "accuracy", "goal": "maximize"}, {"metric": "latency_ms", "goal": "minimize", "reduce": "last"}])");
  document["metrics"].push_back({{"name", "latency_ms"}, {"regex", "latency=([0-9.]+)"}});
  return document;
}

std::string changed_pair(const std::string& pointer, const std::string& json) {
  OrderedJson document = document_of_two();
  const OrderedJson::json_pointer place(pointer);
  if (json.empty())
    document.at(place.parent_pointer()).erase(place.back());
  else
    document[place] = OrderedJson::parse(json);
  return document.dump(1);
}

}  // namespace

TEST_CASE("two objectives are read, with the preference among their front", "[spec]") {
  const Spec spec = parse(changed_pair(
      "/promote", R"({"model": "m", "prefer": {"best": "accuracy", "with": {"latency_ms": {"max": 20}}}})"));
  CHECK(spec.objective.metric == "accuracy");
  REQUIRE(spec.second_objective);
  CHECK(spec.second_objective->metric == "latency_ms");
  CHECK(spec.second_objective->goal == Goal::kMinimize);
  CHECK(spec.second_objective->reduce == Reduce::kLast);
  REQUIRE(spec.prefer);
  CHECK_FALSE(spec.prefer->weight);
  CHECK(spec.prefer->bounds[1] == 20);
  CHECK(parse(changed_pair("/promote", R"({"model": "m", "prefer": {"weight": 0.7}})")).prefer->weight ==
        0.7);
  CHECK_FALSE(parse(valid_document().dump()).second_objective);
  CHECK(schema_violations(spec_schema(), document_of_two()) == std::vector<std::string>{});
}

TEST_CASE("the time that a trial holds its devices may be the second objective", "[spec]") {
  const std::string text =
      changed_pair("/objectives/1", R"({"metric": "device_seconds", "goal": "minimize"})");
  CHECK(problems_of(text) == "");
  CHECK(parse(text).second_objective->metric == "device_seconds");
}

TEST_CASE("what two objectives cannot be is refused, with its place and a cure", "[spec]") {
  const auto [pointer, json, expected] = GENERATE(table<std::string, std::string, std::string>({
      {"/objectives", "[]", "/objectives: \"objectives\" is empty | it needs 2"},
      {"/objectives", R"([{"metric": "accuracy", "goal": "maximize"}])",
       "/objectives: \"objectives\" has 1 entry | it needs 2"},
      {"/objectives/2", R"({"metric": "x", "goal": "maximize"})",
       "/objectives: \"objectives\" has 3 entries | the most is 2"},
      {"/objectives/1/metric", "\"accuracy\"",
       "/objectives/1/metric: the metric \"accuracy\" is there twice"},
      {"/objectives/1/metric", "\"latency_s\"",
       "/objectives/1/metric: \"latency_s\" is not among the metrics | did you mean \"latency_ms\"?"},
      {"/objectives/0/metric", "\"device_seconds\"", "/objectives/0/metric: \"device_seconds\" has no curve"},
      {"/objectives/1", R"({"metric": "device_seconds", "goal": "minimize", "reduce": "last"})",
       "/objectives/1/reduce: \"device_seconds\" is one number a trial | leave \"reduce\" out"},
      {"/objective", R"({"metric": "accuracy", "goal": "maximize"})",
       "/objectives: \"objective\" and \"objectives\" exclude each other"},
      {"/objectives", "", "/objective: the key \"objective\" is missing"},
      {"/limits/target", "0.9", "/limits/target: a target is of one objective"},
      {"/warm_start", R"([{"study": "old", "kind": "identical"}])",
       "/warm_start: learning from earlier studies goes with one objective"},
      {"/early_stopping", R"({"rule": "asha"})",
       "/early_stopping/rule: \"asha\" goes by one objective, and would stop trials that are on the front"},
      {"/strategy", R"({"name": "hyperband"})", "/strategy/name: \"hyperband\" goes by one objective"},
      {"/promote", R"({"model": "m"})", "/promote: of two objectives' front, any trial may be the one"},
      {"/promote", R"({"model": "m", "prefer": {}})",
       "/promote/prefer: there is neither \"weight\" nor \"best\""},
      {"/promote", R"({"model": "m", "prefer": {"weight": 0.5, "best": "accuracy"}})",
       "/promote/prefer: \"weight\" and \"best\" exclude each other"},
      {"/promote", R"({"model": "m", "prefer": {"weight": 1.5}})",
       "/promote/prefer/weight: 1.5 is too large"},
      {"/promote", R"({"model": "m", "prefer": {"weight": 0.5, "with": {"latency_ms": {"max": 2}}}})",
       "/promote/prefer/with: \"with\" goes with \"best\""},
      {"/promote", R"({"model": "m", "prefer": {"best": "acuracy"}})",
       "/promote/prefer/best: \"acuracy\" is none of the objectives | did you mean \"accuracy\"?"},
      {"/promote", R"({"model": "m", "prefer": {"best": "accuracy", "with": {"latency": {"max": 2}}}})",
       "/promote/prefer/with/latency: \"latency\" is none of the objectives"},
      {"/promote", R"({"model": "m", "prefer": {"best": "accuracy", "with": {"latency_ms": {"min": 2}}}})",
       "/promote/prefer/with/latency_ms/min: \"latency_ms\" is minimized, and no trial can have too little "
       "of it "
       "| give \"max\""},
      {"/promote", R"({"model": "m", "prefer": {"best": "latency_ms", "with": {"accuracy": {}}}})",
       "/promote/prefer/with/accuracy: there is no bound | give \"min\""},
  }));
  CAPTURE(pointer, json);
  CHECK_THAT(problems_of(changed_pair(pointer, json)), Contains(expected));
}

TEST_CASE("a median goes with two objectives whose second one is known while a trial runs", "[spec]") {
  CHECK(problems_of(changed_pair("/early_stopping", R"({"rule": "median"})")) == "");
  OrderedJson document = document_of_two();
  document["objectives"][1] = {{"metric", "device_seconds"}, {"goal", "minimize"}};
  document["early_stopping"] = {{"rule", "median"}};
  CHECK_THAT(problems_of(document.dump()),
             Contains("/early_stopping/rule: \"device_seconds\" is known when a trial has ended"));
}

TEST_CASE("a metric that the program prints is not called as the one that is measured", "[spec]") {
  OrderedJson document = document_of_two();
  document["objectives"][1] = {{"metric", "device_seconds"}, {"goal", "minimize"}};
  document["metrics"][1]["name"] = "device_seconds";
  CHECK_THAT(problems_of(document.dump()),
             Contains("/metrics/1/name: \"device_seconds\" is what tune measures"));
}

TEST_CASE("a preference needs two objectives, and may change in a study that has begun", "[spec]") {
  CHECK_THAT(problems_of(changed("/promote", R"({"model": "m", "prefer": {"weight": 0.5}})")),
             Contains("/promote/prefer: one objective says which trial is the best"));
  OrderedJson before = document_of_two(), after = before;
  before["promote"] = {{"model", "m"}, {"prefer", {{"weight", 0.5}}}};
  after["promote"] = {{"model", "m"}, {"prefer", {{"weight", 0.6}}}};
  const auto changes = spec_changes(Json(before), Json(after));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].line == "/promote/prefer/weight: 0.5 -> 0.6");
  CHECK(changes[0].is_harmless);
  after["objectives"][1]["goal"] = "maximize";
  const auto more = spec_changes(Json(before), Json(after));
  REQUIRE(more.size() == 2);
  CHECK(more[0].pointer == "/objectives");
  CHECK_FALSE(more[0].is_harmless);
}

TEST_CASE("the direction of each objective is looked at", "[spec]") {
  OrderedJson document = document_of_two();
  document["metrics"].push_back({{"name", "loss"}, {"regex", "loss=([0-9.]+)"}});
  document["objectives"][1] = {{"metric", "loss"}, {"goal", "maximize"}};
  const Spec spec = parse(document.dump());
  REQUIRE(spec.warnings.size() == 1);
  CHECK(spec.warnings[0].pointer == "/objectives/1/goal");
}

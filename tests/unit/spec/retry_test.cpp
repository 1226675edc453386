#include "tuner/spec/retry.h"

#include "support/catch.h"
#include "support/spec_text.h"

using namespace tune;
using namespace tune::tests;
using Catch::Matchers::Contains;

namespace {

const std::vector<RetryStep> kHalveTwice{
    {{"batch", Rescale::kHalf}, {"accumulate", Rescale::kDouble}},
    {{"batch", Rescale::kHalf}, {"accumulate", Rescale::kDouble}},
};

ParameterSet climbed(const ParameterSet& values, int times,
                     const std::vector<RetryStep>& ladder = kHalveTwice) {
  return climb(ladder, values, times).replaced;
}

// The valid spec with a batch size, something that is accumulated, and a ladder of one step.
std::string with_ladder(const std::string& set) {
  OrderedJson document = valid_document();
  document["parameters"]["batch"] = OrderedJson::parse(R"({"type": "int", "min": 1, "max": 64})");
  document["parameters"]["rate"] = OrderedJson::parse(R"({"type": "float", "min": 0, "max": 1})");
  document["parameters"]["nesterov"] =
      OrderedJson::parse(R"({"type": "categorical", "values": [true, false], "when": {"optimizer": "sgd"}})");
  document["parameters"]["width"] = OrderedJson::parse(R"({"type": "categorical", "values": [64, 128]})");
  document["parameters"]["precision"] =
      OrderedJson::parse(R"({"type": "categorical", "values": ["full", "half"]})");
  document["fixed"] = OrderedJson::parse(R"({"accumulate": 1, "decay": 0.5, "mode": "fast"})");
  document["retry"]["out_of_memory"][0]["set"] = OrderedJson::parse(set);
  return document.dump(1);
}

}  // namespace

TEST_CASE("a trial goes up the ladder a step each time, and each step goes on from the one before") {
  const ParameterSet own{{"batch", 32}, {"accumulate", 1}, {"lr", 0.1}};
  CHECK(climbed(own, 0).empty());
  CHECK(climbed(own, 1) == ParameterSet{{"batch", 16}, {"accumulate", 2}});
  CHECK(climbed(own, 2) == ParameterSet{{"batch", 8}, {"accumulate", 4}});
  CHECK_FALSE(climb(kHalveTwice, own, 2).is_at_end);
  CHECK(climb(kHalveTwice, own, 3).is_at_end);
  CHECK(climbed(own, 3) == climbed(own, 2));
  CHECK(climb({}, own, 1).is_at_end);
}

TEST_CASE("a step is made whole or passed over, and half of an odd number is the whole number below it") {
  CHECK(climbed({{"batch", 3}, {"accumulate", 1}}, 1) == ParameterSet{{"batch", 1}, {"accumulate", 2}});
  // Half of one is nothing, and twice the accumulation alone would be another training.
  CHECK(climb(kHalveTwice, {{"batch", 1}, {"accumulate", 1}}, 1).is_at_end);
  CHECK(climbed({{"batch", 1}, {"accumulate", 1}}, 1).empty());
  const std::vector<RetryStep> mixed{{{"checkpointing", Json(true)}}, {{"batch", Rescale::kHalf}}};
  CHECK(climbed({{"batch", 8}, {"checkpointing", false}}, 1, mixed) == ParameterSet{{"checkpointing", true}});
  // It has the value of the first step anyway, so that step could help nothing.
  CHECK(climbed({{"batch", 8}, {"checkpointing", true}}, 1, mixed) == ParameterSet{{"batch", 4}});
  // Not active in this trial.
  CHECK(climbed({{"batch", 8}}, 1, mixed) == ParameterSet{{"batch", 4}});
  CHECK(climb(kHalveTwice, {{"batch", 8}, {"accumulate", 1'100'000'000}}, 1).is_at_end);
}

TEST_CASE("a spec says what is tried again", "[spec]") {
  const Spec plain = parse(valid_document().dump());
  CHECK(plain.retry.out_of_memory.empty());
  CHECK(plain.retry.infrastructure == 3);
  CHECK(plain.retry.backoff == Milliseconds(1000));
  const Spec spec =
      parse(with_ladder(R"({"batch": "half", "accumulate": "double", "precision": "half", "mode": "slow"})"));
  REQUIRE(spec.retry.out_of_memory.size() == 1);
  const RetryStep& step = spec.retry.out_of_memory[0];
  REQUIRE(step.size() == 4);
  CHECK(std::get<Rescale>(step[0].by) == Rescale::kHalf);
  CHECK(std::get<Rescale>(step[1].by) == Rescale::kDouble);
  CHECK(std::get<Json>(step[2].by) == "half");  // a value like others of a parameter that has texts
  CHECK(std::get<Json>(step[3].by) == "slow");
  const Spec machine = parse(changed("/retry", R"({"infrastructure": {"tries": 5, "backoff": "2m"}})"));
  CHECK(machine.retry.infrastructure == 5);
  CHECK(machine.retry.backoff == Milliseconds(120'000));
}

TEST_CASE("a ladder that could not be climbed is refused with the place, the cause and the cure", "[spec]") {
  const auto [set, expected] = GENERATE(table<std::string, std::string>({
      {R"({"bath": "half"})",
       R"(/set/bath: "bath" is neither a parameter nor a fixed value | did you mean "batch"?)"},
      {R"({"rate": "half"})",
       R"(/set/rate: "rate" is not a whole number from 1, so it cannot be halved or doubled)"},
      {R"({"decay": "double"})", R"(/set/decay: "decay" is not a whole number from 1)"},
      {R"({"batch": "quarter"})",
       R"(/set/batch: "batch" takes whole numbers | give one, or "half" or "double")"},
      {R"({"batch": 2.5})", R"(/set/batch: "batch" takes whole numbers)"},
      {R"({"optimizer": "adam"})", R"(/set/optimizer: other parameters depend on "optimizer")"},
      {"{}", R"(/set: "set" is empty | it needs at least one entry)"},
  }));
  CAPTURE(set);
  CHECK_THAT(problems_of(with_ladder(set)), Contains(expected));
  CHECK(problems_of(with_ladder(R"({"batch": "half", "width": "half", "rate": 0.5})")).empty());
}

TEST_CASE("trials_per_gpu is a number, or auto", "[spec]") {
  CHECK(parse(changed("/resources", R"({"trials_per_gpu": "auto"})")).resources.packs_gpus);
  const Resources fixed = parse(changed("/resources", R"({"trials_per_gpu": 2})")).resources;
  CHECK_FALSE(fixed.packs_gpus);
  CHECK(fixed.trials_per_gpu == 2);
  CHECK_THAT(
      problems_of(changed("/resources", R"({"trials_per_gpu": "all"})")),
      Contains(
          "/resources/trials_per_gpu: must be a whole number, but is the text \"all\" | give a number, or "
          "\"auto\""));
}

#include "store/trial_facts.h"

#include "support/catch.h"

namespace tune::store {
namespace {

TEST_CASE("the facts of trials and attempts are written as they were read, unknown ones too", "[store]") {
  const Json trial = {{"overrides", {{"batch_size", 4}}}, {"replicate_of", 2}, {"later", true}};
  CHECK(trial.get<TrialFacts>().overrides == Json{{"batch_size", 4}});
  CHECK(Json(trial.get<TrialFacts>()) == trial);
  const Json attempt = {{"peak_device_memory", 3'000'000'000},
                        {"reserved_device_memory", 4'000'000'000},
                        {"failure", "oom"},
                        {"overrides", {{"batch_size", 4}}},
                        {"later", "x"}};
  const auto facts = attempt.get<AttemptFacts>();
  CHECK(facts.reserved_device_memory == std::uint64_t{4'000'000'000});
  CHECK(facts.failure == "oom");
  CHECK(Json(facts) == attempt);
  CHECK(Json(AttemptFacts{}) == Json::object());
  CHECK_THROWS(Json({{"reserved_device_memory", "much"}}).get<AttemptFacts>());
  CHECK_THROWS(Json({{"failure", 3}}).get<AttemptFacts>());
}

}  // namespace
}  // namespace tune::store

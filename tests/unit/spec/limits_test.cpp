#include "tuner/spec/limits.h"

#include "support/catch.h"

namespace tune {
namespace {

TEST_CASE("limits are written as the words of a spec, and read back") {
  for (
      const char* text :
      {"{}",
       R"({"cost_usd":2.5,"gpu_hours":1.5,"no_metric_time":"90s","no_output":"1500ms","on_trial_time":"fail",)"
       R"("parallel":4,"time":"7200s","trial_time":"1200s","trials":20})"})
    CHECK(limits_json(limits_from_json(Json::parse(text))).dump() == text);
  const Limits limits = limits_from_json({{"time", "2h"}, {"trials", 3}});
  CHECK(limits.time == Milliseconds(7'200'000));
  CHECK(limits.trials == 3);
  CHECK(limits.on_trial_time == OnTrialTime::kComplete);
  CHECK_THROWS_AS(limits_from_json({{"time", 7200}}), std::exception);
  for (const char* text : {R"({"trials":0})", R"({"trials":-1})", R"({"trials":2.5})", R"({"trials":true})",
                           R"({"trials":4294967297})", R"({"parallel":18446744073709551615})",
                           R"({"gpu_hours":-1})", R"({"cost_usd":null})", R"({"cost_usd":"3"})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(limits_from_json(Json::parse(text)), std::exception);
  }
}

}  // namespace
}  // namespace tune

// Bodies and conditions that nobody's page would send.
#include "tuner/serve/request_body.h"

#include <random>
#include <vector>

#include "support/catch.h"
#include "support/sanitized.h"
#include "tuner/core/error.h"
#include "tuner/serve/trial_query.h"
#include "unit/store/store_fixture.h"

namespace tune::serve {
namespace {

TEST_CASE("a request becomes what the study's inbox takes") {
  const StudyRequest set = study_request_of(
      R"({"command": "set", "arguments": {"limits": {"trials": 40, "time": "2h", "target": -0.5, "gpu_hours": 0.5}}})");
  CHECK(set.command == "set");
  CHECK(set.arguments == Json{{"trials", 40}, {"time", "2h"}, {"target", -0.5}, {"gpu_hours", 0.5}});
  CHECK(study_request_of(R"({"command": "stop"})").arguments == Json::object());
  CHECK(study_request_of(R"({"command": "stop", "arguments": {"trial": 7}})").arguments ==
        Json{{"trial", 7}});
  CHECK(study_request_of(R"({"command": "enqueue", "arguments": {"parameters": {"lr": 1}}})")
            .arguments.at("points") == Json::array({{{"lr", 1}}}));
}

TEST_CASE("conditions keep their values as they were written") {
  const std::vector<report::TrialCondition> conditions =
      parse_conditions(" lr <= 1e-3 ,name~a\\,b\\\\c,, x!=, layers==8");
  REQUIRE(conditions.size() == 4);
  CHECK(conditions[0].column == "lr");
  CHECK(conditions[0].comparison == "<=");
  CHECK(conditions[0].text == "1e-3");
  CHECK(conditions[1].text == "a,b\\c");
  CHECK(conditions[2].text == "");
  CHECK(conditions[3].comparison == "=");
  for (const char* text : {"lr", "=1", "<", "!a=1", "a!1", "~"}) {
    CAPTURE(text);
    CHECK(store::code_of([&] { parse_conditions(text); }) == ExitCode::kUsage);
  }
}

TEST_CASE("whatever a body or a condition holds, it is taken or refused as a bad request") {
  const std::vector<std::string> seeds{
      R"({"command": "set", "arguments": {"limits": {"trials": 40, "time": "2h", "target": 0.9, "convergence": 1e-3}}})",
      R"({"command": "enqueue", "arguments": {"parameters": {"lr": 0.001, "o": {"a": [1, null, true]}}}})",
      R"({"alias": "champion", "version": 3, "expected": 2})", R"(lr<1e-3,optimizer=adam,name~a\,b,x!=1)"};
  const std::vector<std::string> pieces{"{",
                                        "}",
                                        "[",
                                        "]",
                                        "\"",
                                        ":",
                                        ",",
                                        "null",
                                        "-1",
                                        "1e999",
                                        "NaN",
                                        "\\u0000",
                                        "\xFF",
                                        "\\",
                                        "18446744073709551616",
                                        "true",
                                        "\"trial\"",
                                        "<",
                                        "=",
                                        std::string(300, '['),
                                        "\"time\":\"99999999999d\"",
                                        "-0",
                                        "1.5"};
  std::mt19937 random(11);
  const auto below = [&random](std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most - 1)(random);
  };
  int refused = 0;
  for (int round = 0; round < (tests::kSanitized ? 4000 : 20'000); ++round) {
    std::string text = seeds[below(seeds.size())];
    for (std::size_t i = 0, changes = 1 + below(5); i < changes; ++i) {
      const std::size_t place = below(text.size() + 1);
      if (below(3) == 0 && place < text.size())
        text.erase(place, 1 + below(8));
      else if (below(2) == 0 && place < text.size())
        text[place] = static_cast<char>(below(256));
      else
        text.insert(place, pieces[below(pieces.size())]);
    }
    INFO(text);
    const auto take = [&](const auto& use) {
      try {
        use();
      } catch (const http::HttpError& error) {
        REQUIRE(error.status() == 400);
        ++refused;
      } catch (const Error& error) {
        REQUIRE(error.code() == ExitCode::kUsage);  // a 400 too
        ++refused;
      }
    };
    take([&] { study_request_of(text); });
    take([&] { alias_move_of(text); });
    take([&] { parse_conditions(text); });
  }
  CHECK(refused > 1000);
}

}  // namespace
}  // namespace tune::serve

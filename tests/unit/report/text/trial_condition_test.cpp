#include "tuner/report/text/trial_condition.h"

#include <cmath>

#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::report {
namespace {

bool holds(const char* condition, double value) { return parse_trial_condition(condition).holds_for(value); }
bool holds(const char* condition, const char* value) {
  return parse_trial_condition(condition).holds_for(std::string(value));
}

TEST_CASE("a condition is a column, a comparison and the rest", "[report]") {
  const TrialCondition condition = parse_trial_condition("  lr <= 1e-3 ");
  CHECK(condition.column == "lr");
  CHECK(condition.comparison == "<=");
  CHECK(condition.text == "1e-3");
  CHECK(condition.number == 1e-3);
  CHECK(parse_trial_condition("layers==8").comparison == "=");
  CHECK(parse_trial_condition("reason~a<b").text == "a<b");
  for (const char* text : {"", "lr", "=1", "<", "!a=1", "a!1", "~", "a~=b"}) {
    CAPTURE(text);
    CHECK(store::code_of([&] { parse_trial_condition(text); }) == ExitCode::kUsage);
  }
}

TEST_CASE("numbers are compared as numbers, texts as texts, and no value fulfils != alone", "[report]") {
  CHECK(holds("lr<1e-3", 0.0005));
  CHECK_FALSE(holds("lr<1e-3", 1e-3));
  CHECK(holds("lr>=1e-3", 1e-3));
  CHECK(holds("lr!=1", 2.0));
  CHECK(holds("lr!=abc", 2.0));
  CHECK_FALSE(holds("lr=abc", 2.0));
  CHECK(holds("lr!=1", std::nan("")));
  CHECK_FALSE(holds("lr<1", std::nan("")));
  CHECK(holds("batch>8", "16"));  // as texts it would not
  CHECK(holds("optimizer=sgd", "sgd"));
  CHECK(holds("reason~OUT OF", "out of memory"));
  CHECK(holds("failure=", ""));
  CHECK(holds("failure!=crash", ""));
  CHECK_FALSE(holds("failure<z", ""));
}

TEST_CASE("what is no state of a trial is said with what is near", "[report]") {
  require_trial_state("deleted");
  CHECK(store::message_of([] { require_trial_state("complete"); }) == "\"complete\" is no state of a trial");
}

}  // namespace
}  // namespace tune::report

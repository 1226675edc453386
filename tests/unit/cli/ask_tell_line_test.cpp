// Requests as lines, and what is answered to good and to bad ones.
#include "tuner/cli/ask_tell_line.h"

#include <limits>
#include <memory>

#include "strategies/stop_rule.h"
#include "strategies/strategy.h"
#include "support/catch.h"
#include "tuner/spec/spec.h"

namespace tune::cli {
namespace {

// A session in memory, with a manual clock.
class Session {
 public:
  explicit Session(const std::string& strategy = R"({"name": "random", "seed": 3})",
                   const std::string& limits = R"({"trials": 4})",
                   const std::string& parameters = R"({"x": {"type": "float", "min": 0, "max": 1}})")
      : spec_(parse_spec(
            R"({"study": "s", "objective": {"metric": "loss", "goal": "minimize", "reduce": "last"},
                             "early_stopping": {"rule": "median", "min_trials": 1},
                             "parameters": )" +
                parameters + R"(, "strategy": )" + strategy + R"(, "limits": )" + limits + "}",
            "search.json", ".", SpecUse::kAskTell)),
        strategy_(strategies::make_strategy(spec_.strategy, spec_.space, spec_.objective, 3)),
        rule_(strategies::make_stop_rule(spec_.early_stopping, spec_.objective)),
        session_({spec_, 3, *strategy_, *rule_, clock, nullptr, {}}) {}
  Json operator()(const std::string& line) { return Json::parse(answer_line(session_, line)); }
  std::string text(const std::string& line) { return answer_line(session_, line); }
  std::string error(const std::string& line) {
    const Json answer = (*this)(line);
    REQUIRE(answer.size() == 1);
    return answer.at("error").at("message");
  }
  ManualClock clock;

 private:
  Spec spec_;
  std::unique_ptr<strategies::Strategy> strategy_;
  std::unique_ptr<strategies::StopRule> rule_;
  engine::AskTell session_;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("each request is answered in one line with the keys in the agreed order") {
  Session session;
  const std::string asked = session.text(R"({"ask": 2})");
  CHECK(has(asked, R"({"trials":[{"trial":1,"parameters":{"x":)"));
  CHECK(has(asked, R"({"trial":2,"parameters":{"x":)"));
  CHECK(session.text(R"({"report": {"trial": 1, "step": 3, "value": 0.41}})") ==
        R"({"decision":"continue"})");
  CHECK(session.text(R"({"best": true})") == R"({"trial":null})");
  CHECK(session.text(R"({"tell": {"trial": 1, "value": 0.93}})") == R"({"ok":true})");
  CHECK(session.text(R"({"tell": {"trial": 2, "state": "failed", "reason": "oom"}})") == R"({"ok":true})");
  CHECK(has(session.text(R"({"best": true})"), R"({"trial":1,"value":0.93,"parameters":{"x":)"));
  CHECK(session.text(R"({"pending": true})") == R"({"trials":[]})");
}

TEST_CASE("the limit of trials ends the asking, the open ones can still be told") {
  Session session;
  CHECK(session(R"({"ask": 3})").at("trials").size() == 3);
  const Json last = session(R"({"ask": 3})");
  CHECK(last.at("trials").size() == 1);
  CHECK_FALSE(last.contains("exhausted"));
  CHECK(session.text(R"({"ask": 1})") == R"({"trials":[],"exhausted":true})");
  CHECK(session(R"({"pending": true})").at("trials").size() == 4);
  CHECK(session.text(R"({"tell": {"trial": 4, "value": 1}})") == R"({"ok":true})");
}

TEST_CASE("the time limit ends the asking") {
  Session session(R"({"name": "random", "seed": 3})", R"({"time": "1m"})");
  CHECK(session(R"({"ask": 1})").at("trials").size() == 1);
  session.clock.advance(Milliseconds(60'000));
  CHECK(session.text(R"({"ask": 1})") == R"({"trials":[],"exhausted":true})");
}

TEST_CASE("a strategy at its end is exhausted") {
  Session session(R"({"name": "grid", "seed": 3})", R"({"trials": 9})",
                  R"({"x": {"type": "int", "min": 1, "max": 2}})");
  CHECK(session(R"({"ask": 9})").at("trials").size() == 2);
  CHECK(session.text(R"({"ask": 1})") == R"({"trials":[],"exhausted":true})");
}

TEST_CASE("a result that is not finite fails the trial, and is never the best") {
  Session session;
  session(R"({"ask": 3})");
  CHECK(session(R"({"tell": {"trial": 1, "value": null}})").at("ok") == true);
  CHECK(session(R"({"tell": {"trial": 2, "value": "-Infinity"}})").at("ok") == true);
  CHECK(session.text(R"({"best": true})") == R"({"trial":null})");
  CHECK(session.error(R"({"tell": {"trial": 1, "value": 1}})") == "trial 1 was told already: it is failed");
  CHECK(session(R"({"report": {"trial": 3, "value": null}})").at("decision") == "continue");
}

TEST_CASE("a report may say how long the trial has trained") {
  Session session;
  session(R"({"ask": 1})");
  CHECK(session(R"({"report": {"trial": 1, "step": 4, "value": 0.5, "seconds": 8}})").at("decision") ==
        "continue");
}

TEST_CASE("without a value the reports decide, by the objective's reduce") {
  Session session;
  session(R"({"ask": 2})");
  session(R"({"report": {"trial": 1, "value": 0.5}})");
  session(R"({"report": {"trial": 1, "value": 0.75}})");
  CHECK(session.text(R"({"tell": {"trial": 1}})") == R"({"ok":true})");
  CHECK(session(R"({"best": true})").at("value") == 0.75);
  CHECK(has(session.error(R"({"tell": {"trial": 2}})"), "trial 2 has no value"));
  CHECK(session.text(R"({"tell": {"trial": 2, "state": "stopped"}})") == R"({"ok":true})");
}

TEST_CASE("the stop rule judges each new step of a running trial") {
  Session session;
  session(R"({"ask": 2})");
  session(R"({"report": {"trial": 1, "step": 1, "value": 0.5}})");
  session(R"({"report": {"trial": 1, "step": 2, "value": 0.4}})");
  session(R"({"tell": {"trial": 1}})");
  CHECK(session(R"({"report": {"trial": 2, "step": 1, "value": 0.45}})").at("decision") == "continue");
  const Json stop = session(R"({"report": {"trial": 2, "step": 2, "value": 0.9}})");
  CHECK(stop.at("decision") == "stop");
  CHECK(has(stop.at("reason"), "median"));
}

TEST_CASE("a bad line is answered with what is wrong with it, and the session goes on") {
  Session session;
  session(R"({"ask": 1})");
  const std::pair<const char*, const char*> cases[] = {
      {"", "the line is empty"},
      {"{\"ask\": 1", "the line is not JSON"},
      {R"({"tell": {"trial": 1, "value": nan}})", "null for a value that is not finite"},
      {R"({"tell": {"trial": 1, "value": 1, "value": 2}})", "the key \"value\" is there twice"},
      {R"({"ask": NaN})", "ask is a whole number"},
      {R"({"tell": {"trial": 1, "value": 1e999}})", "the line is not JSON"},
      {"[1]", "an object with one key"},
      {"{}", "an object with one key"},
      {R"({"ask": 1, "best": true})", "an object with one key"},
      {R"({"aks": 1})", "did you mean \"ask\"?"},
      {R"({"ask": 0})", "ask is a whole number from 1 to 1000, not 0"},
      {R"({"ask": 1.5})", "not 1.5"},
      {R"({"ask": "2"})", "not \"2\""},
      {R"({"ask": 100000000000000000000})", "ask is a whole number"},
      {R"({"ask": 18446744073709551615})", "ask is a whole number"},
      {R"({"report": 1})", "report takes an object"},
      {R"({"report": {"trial": 1, "value": 0.5, "seconds": 0}})", "\"seconds\" is not a number above 0"},
      {R"({"report": {"trial": 1}})", "\"value\" is missing"},
      {R"({"report": {"trial": 1, "value": "high"}})", "a number or null, not \"high\""},
      {R"({"report": {"trial": 1, "step": -1, "value": 1}})", "\"step\" is a whole number from 0"},
      {R"({"add": {"value": 1}})", "\"parameters\" is missing"},
      {R"({"add": {"parameters": {"y": 1}, "value": 1}})",
       "not a point of the space: \"y\" is not a parameter"},
      {R"({"add": {"parameters": {"x": 2}, "value": 1}})", "2 is greater than its max 1"},
      {R"({"add": {"parameters": {"x": 1}, "state": "completed"}})", "a trial that has ended has a value"},
      {R"({"add": {"parameters": {"x": 1}, "state": "paused", "value": 1}})", "cannot be paused"},
      {R"({"add": {"parameters": {"x": 1}, "reason": "oom"}})", "\"reason\" is for a trial that has ended"},
      {R"({"add": {"parameters": {"x": 1}, "trial": 3}})", "unknown key \"trial\""},
      {R"({"report": {"trial": 9, "value": 1}})", "there is no trial 9; the last one is 1"},
      {R"({"tell": {"value": 1}})", "\"trial\" is missing"},
      {R"({"tell": {"trial": -1, "value": 1}})", "\"trial\" is a whole number from 1"},
      {R"({"tell": {"trial": 1, "valeu": 1}})", "did you mean \"value\"?"},
      {R"({"tell": {"trial": 1, "state": "complete"}})", "did you mean \"completed\"?"},
      {R"({"tell": {"trial": 1, "state": "running"}})", "not a state that a trial can be told"},
      {R"({"tell": {"trial": 1, "state": "failed", "value": 1}})", "a failed trial has no value"},
      {R"({"tell": {"trial": 1, "state": "failed", "reason": 7}})", "\"reason\" is a text, not 7"},
      {R"({"best": 1})", "best takes true, not 1"},
      {R"({"pending": false})", "pending takes true, not false"},
  };
  for (const auto& [line, part] : cases) {
    CAPTURE(line);
    const std::string message = session.error(line);
    CAPTURE(message);
    CHECK(has(message, part));
    CHECK_FALSE(has(message, "\n"));
  }
  CHECK_FALSE(session.error("{\"ask\": \"\xff\xfe\"}").empty());
  CHECK(session.text(R"({"tell": {"trial": 1, "value": 1}})") == R"({"ok":true})");
}

TEST_CASE("step 0 is a step, and the next one without a number follows it") {
  Session session;
  session(R"({"ask": 1})");
  CHECK(session.text(R"({"report": {"trial": 1, "step": 0, "value": 0.5}})") == R"({"decision":"continue"})");
  CHECK(session.text(R"({"report": {"trial": 1, "value": 0.25}})") == R"({"decision":"continue"})");
  CHECK(session.text(R"({"tell": {"trial": 1}})") == R"({"ok":true})");
  CHECK(session(R"({"best": true})").at("value") == 0.25);
}

TEST_CASE("a bare NaN or infinity, as Python writes it, is a result that is not finite") {
  Session session;
  session(R"({"ask": 4})");
  CHECK(session(R"({"report": {"trial": 1, "value": NaN}})").at("decision") == "continue");
  CHECK(session(R"({"tell": {"trial": 1, "value": NaN}})").at("ok") == true);
  CHECK(session(R"({"tell": {"trial": 2, "value":-Infinity}})").at("ok") == true);
  CHECK(session(R"({"tell": {"trial": 3, "value": Infinity}})").at("ok") == true);
  CHECK(session.text(R"({"best": true})") == R"({"trial":null})");
  // Within a text it is text.
  CHECK(session(R"({"tell": {"trial": 4, "state": "failed", "reason": "a \"NaN, Infinity"}})").at("ok") ==
        true);
}

TEST_CASE("a trial of somebody else is added, ended or open, and counts for the search") {
  Session session(R"({"name": "random", "seed": 3})", R"({"trials": 2})");
  CHECK(session.text(R"({"add": {"parameters": {"x": 1}, "value": 0.5}})") == R"({"trial":1})");
  CHECK(session.text(R"({"best": true})") == R"({"trial":1,"value":0.5,"parameters":{"x":1.0}})");
  CHECK(session.text(R"({"add": {"parameters": {"x": 0.25}}})") == R"({"trial":2})");
  CHECK(session.text(R"({"pending": true})") == R"({"trials":[{"trial":2,"parameters":{"x":0.25}}]})");
  CHECK(session.text(R"({"tell": {"trial": 2, "value": 0.75}})") == R"({"ok":true})");
  CHECK(session.text(R"({"ask": 1})") == R"({"trials":[],"exhausted":true})");
  // What is known is taken in, also past the limit of what may be asked for.
  CHECK(session.text(R"({"add": {"parameters": {"x": 0}, "state": "failed", "reason": "oom"}})") ==
        R"({"trial":3})");
  CHECK(session.text(R"({"add": {"parameters": {"x": 0}, "value": NaN}})") == R"({"trial":4})");
  CHECK(session.error(R"({"tell": {"trial": 4, "value": 1}})") == "trial 4 was told already: it is failed");
}

TEST_CASE("what is no JSON is told of the line, and quoted past a NUL byte") {
  Session session;
  CHECK(session.error("") == "the line is empty; write one object a line");
  CHECK(session.error(" \t\r") == "the line is empty; write one object a line");
  CHECK(session.error("\xEF\xBB\xBF{\"ask\": 1}") ==
        "the line starts with a byte order mark, in column 1; write it as UTF-8 without a byte order mark");
  CHECK(has(session.error("\xFF\xFE{"), "the line is UTF-16"));
  CHECK(has(session.error("{\"ask\": 1"), "the line ends before"));
  const std::string_view nul("{\"ask\": a\0b}", 12);
  CHECK(has(session.error(std::string(nul)), "in column 9"));
  CHECK(has(session.error(std::string("{\"ask\": 1}\0 x", 13)), "there is text after the end"));
  CHECK(has(session.error(R"({"a\u0000b": 1})"), R"("a\u0000b")"));
  CHECK(has(session.error(R"({"tell": {"trial": 1, "a\u0000b": 1}})"), R"(unknown key "a\u0000b")"));
}

TEST_CASE("a whole number may be written as a float") {
  Session session;
  CHECK(session(R"({"ask": 1.0})").at("trials").size() == 1);
  CHECK(session.text(R"({"report": {"trial": 1.0, "step": 2.0, "value": 1}})") ==
        R"({"decision":"continue"})");
  CHECK(has(session.error(R"({"tell": {"trial": 1.5, "value": 1}})"), "is a whole number from 1"));
  CHECK(session.text(R"({"tell": {"trial": 1.0, "value": 1}})") == R"({"ok":true})");
}

TEST_CASE("hostile lines are answered in short, and the session goes on") {
  Session session;
  session(R"({"ask": 1})");
  const std::string deep(100'000, '['), nested = "{\"ask\":" + deep + std::string(100'000, ']') + "}";
  const std::string long_text(100'000, 'x');
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  for (const std::string& line :
       {deep, nested, objects, "{\"" + long_text + "\": 1}",
        "{\"tell\": {\"trial\": 1, \"" + long_text + "\": 1}}",
        "{\"tell\": {\"trial\": 1, \"state\": \"" + long_text + "\"}}", "{\"ask\": \"" + long_text + "\"}",
        "{\"report\": {\"trial\": 1, \"value\": \"" + long_text + "\"}}",
        "{\"add\": {\"parameters\": {\"" + long_text + "\": 1}}}",
        "{\"add\": {\"parameters\": {\"x\": \"" + long_text + "\"}}}", long_text,
        std::string(kLongestLine + 1, ' ') + "{\"ask\": 1}"}) {
    const std::string message = session.error(line);
    CHECK(message.size() < 600);
  }
  CHECK(session.text(R"({"tell": {"trial": 1, "value": 1}})") == R"({"ok":true})");
}

}  // namespace
}  // namespace tune::cli

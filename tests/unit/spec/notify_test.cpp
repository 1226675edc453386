#include <string>

#include "support/catch.h"
#include "support/spec_text.h"

using namespace tune;
using namespace tune::tests;

TEST_CASE("whom a study notifies of what is read with its environment and time limit", "[spec]") {
  const Spec spec = parse(changed("/notify", R"([
    {"on": ["finished", "failed", "finished"], "command": ["python3", "mail.py"],
     "environment": {"MAIL_TO": "a@b", "PASSWORD": {"from_env": "SMTP_PASSWORD"}}},
    {"on": ["best", "budget"], "command": ["./tell"], "time_limit": "5s"}])"));
  REQUIRE(spec.notify.size() == 2);
  CHECK(spec.notify[0].on == std::vector{NotifyOn::kFinished, NotifyOn::kFailed});
  CHECK(spec.notify[0].command == std::vector<std::string>{"python3", "mail.py"});
  CHECK(std::get<std::string>(spec.notify[0].environment.at("MAIL_TO")) == "a@b");
  CHECK(std::get<FromEnvironment>(spec.notify[0].environment.at("PASSWORD")).variable == "SMTP_PASSWORD");
  CHECK(spec.notify[0].time_limit == Milliseconds(30'000));
  CHECK(spec.notify[1].on == std::vector{NotifyOn::kBest, NotifyOn::kBudget});
  CHECK(spec.notify[1].time_limit == Milliseconds(5'000));
}

TEST_CASE("mistakes of notify are named, each with its place", "[spec]") {
  const auto problems = [](const std::string& notify) { return problems_of(changed("/notify", notify)); };
  const auto says = [](const std::string& text, const std::string& part) {
    CAPTURE(text, part);
    CHECK(text.find(part) != std::string::npos);
  };
  says(problems(R"({"on": []})"), "/notify: must be an array");
  says(problems(R"([{"on": ["best"]}])"), "/notify/0/command: the key \"command\" is missing");
  says(problems(R"([{"on": ["bests"], "command": ["a"]}])"),
       "/notify/0/on/0: \"bests\" is not a valid on | did you mean \"best\"?");
  says(problems(R"([{"on": [], "command": ["a"]}])"), "/notify/0/on: ");
  says(problems(R"([{"on": ["best"], "command": [""]}])"),
       "/notify/0/command/0: the program's name is empty");
  says(problems(R"([{"on": ["best"], "command": "mail me"}])"),
       "/notify/0/command: must be an array, but is the text \"mail me\"");
  says(problems(R"([{"on": ["best"], "command": ["a"], "time_limit": "1h"}])"),
       "/notify/0/time_limit: a command that tells somebody has 10m at most");
  says(problems(R"([{"on": ["best"], "command": ["a"], "environment": {"TUNE_STUDY": "x"}}])"),
       "/notify/0/environment/TUNE_STUDY: \"TUNE_STUDY\" is set by tune itself | choose another name");
  says(problems(R"([{"on": ["best"], "command": ["a"], "to": "x"}])"), "/notify/0/to: unknown key \"to\"");
}

TEST_CASE("a study that has begun may notify others", "[spec]") {
  const Json before = valid_document(),
             after = Json::parse(changed("/notify", R"([{"on": ["best"], "command": ["a"]}])"));
  const std::vector<SpecChange> changes = spec_changes(before, after);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].is_harmless);
}

TEST_CASE("ask-tell says that it tells nobody", "[spec]") {
  const Spec spec = parse(changed("/notify", R"([{"on": ["best"], "command": ["a"]}])"), SpecUse::kAskTell);
  REQUIRE(spec.warnings.size() >= 1);
  CHECK(spec.warnings[0].pointer == "/notify");
}

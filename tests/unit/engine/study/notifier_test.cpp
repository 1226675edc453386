#include "tuner/engine/study/notifier.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "support/catch.h"
#include "tuner/core/error.h"
#include "unit/store/store_fixture.h"

namespace tune::engine {
namespace {

std::string content(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

struct NotifierFixture {
  Notification shell(std::vector<NotifyOn> on, const std::string& line) const {
    return {std::move(on), {"sh", "-c", line}, {}, Milliseconds(30'000)};
  }
  Notifier::Parts parts(std::vector<Notification> notify) const {
    return {
        std::move(notify), folder / "", {{kStudyVariable, "steel"}}, {{"study", "steel"}}, [] { return 0; }};
  }
  store::TemporaryFolder folder;
};

Notice best(int number) {
  return {NotifyOn::kBest,
          "best:" + std::to_string(number),
          "trial " + std::to_string(number) + " is the best",
          {{"trial", number}}};
}

TEST_CASE("a command gets what has happened in variables and as JSON in a file", "[notify]") {
  const NotifierFixture f;
  Notification one =
      f.shell({NotifyOn::kBest},
              "cp $TUNE_EVENT_FILE event; echo \"$TUNE_EVENT $TUNE_STUDY $TUNE_MESSAGE $MINE\" > said");
  ::setenv("TUNE_TEST_MINE", "secret", 1);
  one.environment = {{"MINE", FromEnvironment{"TUNE_TEST_MINE"}}};
  Notifier notifier(f.parts({one}));
  CHECK(notifier.wants(NotifyOn::kBest));
  CHECK_FALSE(notifier.wants(NotifyOn::kFailed));
  notifier.tell(best(3));
  notifier.wait();
  const std::vector<Delivery> told = notifier.take_told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].end == Delivery::End::kTold);
  CHECK(told[0].key == "best:3");
  CHECK(content(f.folder / "said") == "best steel trial 3 is the best secret\n");
  const Json event = Json::parse(content(f.folder / "event"));
  CHECK(event.at("schema") == 1);
  CHECK(event.at("event") == "best");
  CHECK(event.at("study") == "steel");
  CHECK(event.at("trial") == 3);
  CHECK(event.dump().find("secret") == std::string::npos);
}

TEST_CASE("a command that fails says how, by its exit code and the last line of its stderr", "[notify]") {
  const NotifierFixture f;
  Notifier notifier(f.parts({f.shell({NotifyOn::kBest}, "echo first >&2; echo no server >&2; exit 3"),
                             {{NotifyOn::kBest}, {"/no/such/program"}, {}, Milliseconds(1'000)}}));
  notifier.tell(best(1));
  notifier.wait();
  const std::vector<Delivery> told = notifier.take_told();
  REQUIRE(told.size() == 2);
  CHECK(told[0].end == Delivery::End::kFailed);
  CHECK(told[0].problem ==
        "the command `sh -c echo first >&2; echo no server >&2; exit 3` of \"notify\" failed for "
        "\"best\": exit code 3: no server");
  CHECK(told[1].number == 1);
  CHECK(told[1].problem.find("cannot start \"/no/such/program\"") != std::string::npos);
}

TEST_CASE("a command that hangs is killed with all that it has started", "[notify]") {
  const NotifierFixture f;
  Notification hanging = f.shell({NotifyOn::kBest}, "sleep 600 & echo $! > child; wait");
  hanging.time_limit = Milliseconds(200);
  Notifier notifier(f.parts({hanging}));
  notifier.tell(best(1));
  notifier.wait();
  const std::vector<Delivery> told = notifier.take_told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].end == Delivery::End::kFailed);
  CHECK(told[0].problem.find("did not end within 0 s and was killed") != std::string::npos);
}

TEST_CASE("telling never waits, and a best that waits is passed over for a better one", "[notify]") {
  const NotifierFixture f;
  Notifier notifier(f.parts(
      {f.shell({NotifyOn::kBest, NotifyOn::kFinished},
               "touch begun; until [ -e go ]; do sleep 0.01; done; echo \"$TUNE_MESSAGE\" >> said")}));
  notifier.tell(best(1));
  while (!std::filesystem::exists(f.folder / "begun")) std::this_thread::yield();
  for (int number = 2; number <= 4; ++number) notifier.tell(best(number));
  notifier.tell({NotifyOn::kFinished, "end:9", "the end", Json::object()});
  const std::vector<Delivery> told = notifier.take_told();
  REQUIRE(told.size() == 2);
  CHECK(told[0].key == "best:2");
  CHECK(told[1].key == "best:3");
  CHECK(told[1].end == Delivery::End::kPassedOver);
  std::ofstream(f.folder / "go") << "";
  notifier.wait();
  CHECK(content(f.folder / "said") == "trial 1 is the best\ntrial 4 is the best\nthe end\n");
}

TEST_CASE("a variable that is not set is said before anything begins", "[notify]") {
  const NotifierFixture f;
  Notification one = f.shell({NotifyOn::kBest}, "true");
  one.environment = {{"MINE", FromEnvironment{"TUNE_TEST_NOT_SET"}}};
  CHECK(
      store::message_of([&] { Notifier notifier(f.parts({one})); }) ==
      "a command of \"notify\" takes MINE from the environment variable TUNE_TEST_NOT_SET, which is not set");
}

TEST_CASE("a notifier that goes waits for its command, and drops what has not begun", "[notify]") {
  const NotifierFixture f;
  {
    Notifier notifier(f.parts(
        {f.shell({NotifyOn::kBest}, "touch begun; until [ -e go ]; do sleep 0.01; done; touch ended")}));
    notifier.tell(best(1));
    while (!std::filesystem::exists(f.folder / "begun")) std::this_thread::yield();
    std::ofstream(f.folder / "go") << "";
  }
  CHECK(std::filesystem::exists(f.folder / "ended"));
}

}  // namespace
}  // namespace tune::engine

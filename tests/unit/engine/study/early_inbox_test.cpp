// Requests that come between the opening of a study and its loop.
#include "tuner/engine/loop/steering.h"
#include "tuner/engine/study/steer_study.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

struct EarlyFixture {
  EarlyFixture()
      : spec(parse_spec(R"json({"study": "s", "objective": {"metric": "loss", "goal": "minimize"},
                            "parameters": {"x": {"type": "float", "min": 0, "max": 1}},
                            "command": ["true"], "metrics": [{"name": "loss", "regex": "(.*)"}],
                            "limits": {"trials": 4, "parallel": 1}})json",
                        "search.json", "/somewhere")),
        study(engine::open_study(folder.path(), spec, spec.text, {})),
        inbox(folder.path() / "s"),
        journal(study.store, clock, status, [] { return false; }),
        early(study, spec, folder.path() / "s", clock, journal, interruption, clock.wall_now()) {}
  std::string send(const std::string& command, Json arguments, Milliseconds later = Milliseconds(0)) const {
    return inbox.send({{}, command, std::move(arguments), "ada@host", clock.wall_now() + later});
  }

  ScratchFolder folder;
  ManualClock clock;
  RecordingStatus status;
  engine::Interruption interruption;
  Spec spec;
  engine::OpenedStudy study;
  engine::Inbox inbox;
  engine::Journal journal;
  engine::EarlyInbox early;
};

TEST_CASE("what waits in the inbox of a finished study gives it something to do again") {
  EarlyFixture f;
  f.study.row.state = store::StudyState::kFinished;
  f.study.row.finish_reason = "trial limit";
  const std::string id = f.send("enqueue", {{"points", {{{"x", 0.5}}}}}, Milliseconds(-60'000));
  f.send("set", {{"trials", 9}, {"parallel", 3}});
  f.early.obey();
  CHECK(f.study.row.state == store::StudyState::kInterrupted);
  CHECK(f.study.store.trial_count() == 1);
  CHECK(f.inbox.take_answer(id)->contains("done"));
  CHECK(f.spec.limits.trials == 9);
  CHECK(f.spec.limits.parallel == 3);
}

TEST_CASE("a stop that comes before the loop runs interrupts, but for one from before the study went on") {
  EarlyFixture f;
  const std::string old = f.send("stop", Json::object(), Milliseconds(-1'000));
  f.early.obey();
  CHECK(f.interruption.count == 0);
  CHECK(f.inbox.take_answer(old)->contains("error"));
  const std::string id = f.send("stop", Json::object(), Milliseconds(1'000));
  f.early.obey_now_and_then();
  CHECK(f.interruption.count == 0);  // it was looked at a moment ago
  f.clock.advance(Milliseconds(1'000));
  f.early.obey_now_and_then();
  CHECK(f.interruption.count == 1);
  CHECK(f.inbox.take_answer(id)->contains("done"));
}

TEST_CASE("a request that cannot be written says what to do about its folder") {
  const ScratchFolder folder;
  std::ofstream(folder.path() / "s") << "in the way";
  try {
    engine::Inbox(folder.path() / "s").send({{}, "stop", Json::object(), "ada@host", WallTime()});
    FAIL("it was written");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).starts_with("cannot create " + (folder.path() / "s").string()));
    CHECK(
        std::string(error.hint()).find("check the owner and the mode of " + (folder.path() / "s").string()) !=
        std::string::npos);
  }
}

}  // namespace
}  // namespace tune::tests

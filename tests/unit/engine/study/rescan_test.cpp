#include "tuner/engine/study/rescan.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tuner/engine/attempt/attempt_plan.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using Catch::Matchers::Contains;

struct Unplugged {};

// A study on the disk whose trials print "loss=1 loss=2 ..." lines that its first regex did not match.
struct RescanFixture : LoopFixture {
  RescanFixture() : LoopFixture(small_spec(3), 7, Place::kDisk) {
    spec.limits.parallel = 1;
    spec.document["metrics"] = Json::array({{{"name", "loss"}, {"regex", "lose=(.*)"}}});
    store::StudyRow row = store.study();
    row.name = folder.path().filename().string();  // as in a store
    row.spec = spec.document;
    store.replace_study(row);
  }
  void run_with(std::function<Behaviour(const engine::Attempt&)> script) {
    use(1, std::move(script));
    run();
  }
  // As the command's reader does: a number a line is a value, steps are counted.
  static engine::LogMetrics numbers(const engine::LogQuestion& question) {
    engine::LogMetrics result;
    std::ifstream log(question.attempt_folder / "log");
    std::int64_t step = question.steps_done.contains("loss") ? question.steps_done.at("loss") : 0;
    for (std::string line; std::getline(log, line);) {
      if (log.eof() && !question.takes_last_line) break;
      if (line == "cut") result.is_cut = true;
      std::istringstream text(line);
      double value = 0;
      if (text >> value) result.records.push_back({"loss", {++step, value}, {}});
    }
    return result;
  }
  engine::RescanReport rescan(engine::LogReader reader = numbers) {
    Spec changed = spec;
    changed.document["metrics"][0]["regex"] = "loss=(.*)";
    return engine::rescan_study({folder.path().parent_path(), folder.path().filename(), changed,
                                 "{\"new\": true}", std::move(reader)},
                                clock);
  }
};

Behaviour says(const std::string& log) {
  Behaviour behaviour;
  behaviour.log = log;
  behaviour.lasts = Milliseconds(20'000);
  return behaviour;
}

TEST_CASE("finished trials get the values that their logs hold, and the study has the new metrics") {
  RescanFixture f;
  f.run_with([](const engine::Attempt& attempt) {
    return says(attempt.id.trial == 1 ? "3\n2\n" : attempt.id.trial == 2 ? "nothing\n" : "0.5\n0.75\n");
  });
  REQUIRE(f.store.trial(1)->failure == "no_metric");
  const auto report = f.rescan();
  CHECK(report.changed.size() == 2);
  CHECK(report.unchanged == 1);
  CHECK(report.has_new_spec);
  CHECK(f.store.trial(1)->state == TrialState::kCompleted);
  CHECK(f.store.trial(1)->failure.empty());
  CHECK(f.store.trial(1)->values == std::vector<double>{2});
  CHECK(f.store.trial(2)->failure == "no_metric");
  CHECK(f.store.trial(3)->values == std::vector<double>{0.5});
  CHECK(f.store.curve(3, "loss").size() == 2);
  CHECK(f.store.metrics(3).at(1).time == f.store.attempts(3).at(0).ended);
  CHECK(f.store.load_history().best()->number == 3);
  CHECK(f.store.study().spec.at("metrics").at(0).at("regex") == "loss=(.*)");
  CHECK(f.store.study().spec_text == "{\"new\": true}");
  int kept = 0;
  for (const auto& event : f.store.events())
    kept += event.kind == "trial_rescanned" && event.data.at("before").at("failure") == "no_metric";
  CHECK(kept == 2);
  // The same again changes nothing.
  f.spec.document["metrics"][0]["regex"] = "loss=(.*)";
  const auto again = f.rescan();
  CHECK(again.changed.empty());
  CHECK(again.unchanged == 3);
  CHECK_FALSE(again.has_new_spec);
}

TEST_CASE("a value that was read wrongly is mended, also to none") {
  RescanFixture f;
  f.run_with([](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(7);
    behaviour.log = attempt.id.trial == 1 ? "1.5\n" : "";
    if (attempt.id.trial == 1) behaviour.log = "1.5\n";
    if (attempt.id.trial == 2) behaviour.log = "no number\n";
    if (attempt.id.trial == 3) behaviour.exit_code = 3, behaviour.log = "0.25\nout of luck\n";
    return behaviour;
  });
  f.rescan();
  CHECK(f.store.trial(1)->values == std::vector<double>{1.5});
  CHECK(f.store.metrics(1).at(0).time != f.store.attempts(1).at(0).ended);
  CHECK(f.store.trial(2)->failure == "no_metric");
  CHECK(f.store.trial(2)->values.empty());
  CHECK(f.store.metrics(2).empty());
  CHECK(f.store.trial(3)->reason == "exit code 3: out of luck");
  CHECK(f.store.curve(3, "loss").at(0).value == 0.25);
}

TEST_CASE("what a rule stopped stays stopped, with the value that its log holds") {
  RescanFixture f;
  f.rule = std::make_unique<ScriptedRule>([](const TrialView& trial, const History&) {
    return trial.number == 2 ? strategies::Verdict{strategies::Action::kStop, "worse than most"}
                             : strategies::Verdict{};
  });
  f.run_with([](const engine::Attempt&) {
    Behaviour behaviour = prints(7);
    behaviour.log = "4\n3\n";
    behaviour.lasts = Milliseconds(2000);
    return behaviour;
  });
  REQUIRE(f.store.trial(2)->state == TrialState::kStopped);
  f.rescan();
  CHECK(f.store.trial(2)->state == TrialState::kStopped);
  CHECK(f.store.trial(2)->reason == "worse than most");
  CHECK(f.store.trial(2)->values == std::vector<double>{3});
}

TEST_CASE(
    "an attempt that resumed goes on with the steps of the one before, and one that began anew forgets "
    "them") {
  RescanFixture f;
  f.spec.limits.trials = 1;
  const bool resumes = GENERATE(true, false);
  f.run_with([](const engine::Attempt& attempt) {
    Behaviour behaviour = says(attempt.id.attempt == 1 ? "9\n8\n" : "7\n");
    behaviour.without_report = attempt.id.attempt == 1;
    return behaviour;
  });
  REQUIRE(f.store.trial(1)->attempts == 2);
  if (resumes) {
    std::ofstream(attempt_folder(f.folder.path(), AttemptId{1, 2}) / "trial.json")
        << R"({"resume_from": "/checkpoints"})";
  }
  f.rescan();
  const auto curve = f.store.curve(1, "loss");
  REQUIRE(curve.size() == (resumes ? 3 : 1));
  CHECK(curve.back().step == (resumes ? 3 : 1));
  CHECK(curve.back().value == 7);
}

TEST_CASE("a trial whose log is gone or was cut keeps what it has, and that is said") {
  RescanFixture f;
  f.run_with([](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(7);
    behaviour.log = attempt.id.trial == 2 ? "1\ncut\n2\n" : "1\n";
    return behaviour;
  });
  std::filesystem::remove(attempt_folder(f.folder.path(), AttemptId{1, 1}) / "log");
  const auto report = f.rescan();
  REQUIRE(report.left_alone.size() == 2);
  CHECK_THAT(report.left_alone[0], Contains("trial 1 is left as it is") && Contains("is gone"));
  CHECK_THAT(report.left_alone[1], Contains("trial 2 is left as it is"));
  CHECK(f.store.trial(1)->values == std::vector<double>{7});
  CHECK(f.store.trial(2)->values == std::vector<double>{7});
  CHECK(f.store.trial(3)->values == std::vector<double>{1});
}

TEST_CASE("a process that dies in the middle of a rescan has changed nothing") {
  RescanFixture f;
  f.run_with([](const engine::Attempt&) { return says("1\n"); });
  CHECK_THROWS_AS(f.rescan([](const engine::LogQuestion& question) {
    if (question.attempt_folder.parent_path().parent_path().filename() == "3") throw Unplugged{};
    return RescanFixture::numbers(question);
  }),
                  Unplugged);
  for (int trial = 1; trial <= 3; ++trial) {
    CHECK(f.store.trial(trial)->failure == "no_metric");
    CHECK(f.store.metrics(trial).empty());
  }
  CHECK(f.store.study().spec.at("metrics").at(0).at("regex") == "lose=(.*)");
  CHECK(f.rescan().changed.size() == 3);
}

TEST_CASE("a spec that differs in more than its metrics is refused") {
  RescanFixture f;
  f.run_with([](const engine::Attempt&) { return says("1\n"); });
  f.spec.document["study"] = "other";
  try {
    f.rescan();
    FAIL("it went through");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kConflict);
    CHECK_THAT(error.what(), Contains("/study"));
  }
}

TEST_CASE("a deleted trial stays deleted, although its log is still there") {
  RescanFixture f;
  f.run_with([](const engine::Attempt&) { return says("3\n"); });
  f.store.delete_trial(2, "ada@host", f.clock.wall_now());
  const engine::RescanReport report = f.rescan();
  CHECK(report.changed.size() == 2);
  CHECK(report.left_alone.empty());
  CHECK(f.store.trial(2)->values.empty());
  CHECK(f.store.metrics(2).empty());
}

TEST_CASE("a promotion is decided again when another trial is the best") {
  RescanFixture f;
  f.run_with([](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(attempt.id.trial);
    behaviour.log = std::to_string(10 - attempt.id.trial) + "\n";
    return behaviour;
  });
  store::StudyRow row = f.store.study();
  row.facts.promotion.emplace().promoted = true;
  f.store.update_study(row);
  f.rescan();
  CHECK_FALSE(f.store.study().facts.promotion.has_value());
}

}  // namespace
}  // namespace tune::tests

// What a loop makes of the attempts of one that died.
#include <fstream>

#include "tuner/engine/attempt/attempt_plan.h"
#include "tuner/os/atomic_file.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

struct Kill9 {};

Behaviour slow(const engine::Attempt& attempt) {
  Behaviour behaviour = prints(attempt.trial_json["parameters"]["x"].get<double>());
  behaviour.lasts = Milliseconds(1000);
  return behaviour;
}

// Runs until one attempt runs whose metric is in the store, and dies.
struct DeadStudy : LoopFixture {
  DeadStudy() : LoopFixture(small_spec(2)) {
    spec.limits.parallel = 1;
    use(1, slow);
    runner->before_wait = [this] {
      if (!store.metrics(1).empty()) throw Kill9{};
    };
    CHECK_THROWS_AS(run(), Kill9);
    status.events.clear();
    folder_of_first = attempt_folder(folder.path(), {1, 1});
    token = store.attempts(1).at(0).token;
  }
  void leave_exit(const std::string& with_token, const Json& more) {
    Json json = {{"schema", 1},        {"token", with_token}, {"stop", ""},
                 {"failure", ""},      {"wall_seconds", 1.0}, {"cpu_seconds", 0.5},
                 {"max_rss_bytes", 1}, {"cut_lines", 0},      {"metrics", 1}};
    json.update(more);
    write_file_atomically(folder_of_first / "exit.json", json.dump());
  }
  void go_on() {
    use(1, slow);
    const auto result = run();
    CHECK(result.outcome == engine::Outcome::kFinished);
    CHECK(result.completed == 2);
  }
  std::filesystem::path folder_of_first;
  std::string token;
};

TEST_CASE("a stored trial that is no point of the space is damage of the file, and nothing is started") {
  LoopFixture f(small_spec(2));
  f.use(1, slow);
  store::TrialRow trial;
  trial.number = 1;
  trial.parameters = GENERATE(ParameterSet{}, ParameterSet{{"x", 0.5}, {"zzz", 3}},
                              ParameterSet{{"x", 0.5}, {"y", "much"}}, ParameterSet{{"x", 7}, {"y", 0}});
  f.store.insert_trial(trial);
  try {
    f.run();
    FAIL("it ran");
  } catch (const DamagedFile& error) {
    CHECK(std::string(error.what()).find("the parameters of trial 1 are damaged") != std::string::npos);
  }
  CHECK(f.runner->started.empty());
}

TEST_CASE("an attempt that had finished while nobody watched counts") {
  DeadStudy study;
  std::ofstream(study.folder_of_first / "metrics.jsonl", std::ios::app)
      << Json{{"token", study.token}, {"name", "loss"}, {"value", -5.0}, {"step", 2}, {"time_ms", 1}}.dump()
      << '\n';
  study.leave_exit(study.token, {{"exit_code", 0}});
  study.go_on();
  CHECK(study.store.trial(1)->attempts == 1);
  CHECK(study.store.trial(1)->values == std::vector<double>{-5});
  CHECK(study.store.metrics(1).size() == 2);
}

TEST_CASE("an attempt without a report is lost and runs again") {
  DeadStudy study;
  study.go_on();
  CHECK(study.store.trial(1)->attempts == 2);
  CHECK(study.store.attempts(1).at(0).state == store::AttemptState::kLost);
  CHECK(study.store.attempts(1).at(1).token != study.token);
}

TEST_CASE("an exit.json with another token is not this attempt's") {
  DeadStudy study;
  study.leave_exit("somebody else's", {{"exit_code", 0}});
  study.go_on();
  CHECK(study.store.attempts(1).at(0).state == store::AttemptState::kLost);
}

TEST_CASE("an attempt that still runs is waited for before its trial runs again") {
  DeadStudy study;
  study.use(1, slow);
  study.runner->attachable.insert({1, 1});
  bool waited = false;
  study.runner->on_start = [&](const engine::Attempt& attempt) {
    waited = waited ||
             (attempt.id == AttemptId{1, 2} && std::filesystem::exists(study.folder_of_first / "exit.json"));
  };
  CHECK(study.run().completed == 2);
  CHECK(waited);
  CHECK(study.store.attempts(1).at(0).state == store::AttemptState::kExited);
  CHECK(study.store.attempts(1).at(0).stop == StopReason::kLost);
}

TEST_CASE("a trial that is lost three times fails") {
  LoopFixture f(small_spec(1));
  f.use(1, [](const engine::Attempt&) {
    Behaviour behaviour = prints(1);
    behaviour.without_report = true;
    return behaviour;
  });
  CHECK(f.run().failed == 1);
  CHECK(f.store.trial(1)->attempts == 3);
  CHECK(f.store.trial(1)->failure == "lost");
}

TEST_CASE("what ends together with its tune is neither a loss of the trial nor time to be paid") {
  LoopFixture f(small_spec(1));
  f.spec.limits.parallel = 1;
  const auto long_trial = [](const engine::Attempt&) {
    Behaviour behaviour;
    behaviour.lines = {{Milliseconds(12'000), "loss", 0.5, 1, false}};
    behaviour.lasts = Milliseconds(20'000);
    return behaviour;
  };
  for (int death = 0; death < 4; ++death) {
    f.use(1, long_trial);
    f.runner->before_wait = [&] {
      if (f.store.trial_count() > 0 && !f.store.metrics(1).empty()) throw Kill9{};
    };
    CHECK_THROWS_AS(f.run(), Kill9);
    f.clock.advance(std::chrono::hours(48));
  }
  f.use(1, long_trial);
  CHECK(f.run().completed == 1);
  const auto attempts = f.store.attempts(1);
  REQUIRE(attempts.size() == 5);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(attempts[i].state == store::AttemptState::kLost);
    CHECK(attempts[i].stop == StopReason::kOrphaned);
    // It had lived for twelve seconds, and is paid for to within one.
    CHECK(attempts[i].lease_seconds >= 11);
    CHECK(attempts[i].lease_seconds <= 13);
  }
  CHECK(attempts[4].state == store::AttemptState::kExited);
}

TEST_CASE("an attempt that starts over does not inherit values that no checkpoint holds") {
  const bool has_checkpoint = GENERATE(false, true);
  LoopFixture f(small_spec(1));
  f.spec.limits.parallel = 1;
  const auto script = [](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(attempt.id.attempt == 1 ? 0.05 : 0.5);
    if (attempt.id.attempt == 1) behaviour.lines[0].step = 7;
    behaviour.lasts = Milliseconds(1000);
    return behaviour;
  };
  f.use(1, script);
  f.runner->before_wait = [&] {
    if (!f.store.metrics(1).empty()) throw Kill9{};
  };
  CHECK_THROWS_AS(f.run(), Kill9);
  if (has_checkpoint) std::ofstream(checkpoint_folder(f.folder.path(), 1) / "last") << "weights";
  f.use(1, script);
  CHECK(f.run().completed == 1);
  CHECK(f.store.trial(1)->values == std::vector<double>{has_checkpoint ? 0.05 : 0.5});
  CHECK(f.store.metrics(1).size() == (has_checkpoint ? 2 : 1));
  CHECK(f.store.load_history().trials[0]->curve.size() == (has_checkpoint ? 2 : 1));
}

TEST_CASE("a trial with a checkpoint resumes from it, and counted steps go on") {
  DeadStudy study;
  std::ofstream(checkpoint_folder(study.folder.path(), 1) / "last") << "weights";
  study.go_on();
  REQUIRE(study.runner->started.size() == 2);
  const engine::Attempt& again = study.runner->started[0];
  CHECK(again.id == AttemptId{1, 2});
  CHECK(again.trial_json["resume_from"] == again.checkpoint_folder.string());
  CHECK(again.steps_done == std::map<std::string, std::int64_t>{{"loss", 1}});
  CHECK(study.runner->started[1].trial_json["resume_from"].is_null());
}

}  // namespace
}  // namespace tune::tests

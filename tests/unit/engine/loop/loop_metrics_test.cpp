// What the loop takes in of a trial's metrics, and what it says of them.
#include <fstream>

#include "tuner/engine/attempt/attempt_files.h"
#include "tuner/os/atomic_file.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

// How often the display was told of `text`, and in how many trials' events it is.
std::pair<int, int> times_said(const LoopFixture& f, const std::string& text) {
  int told = 0, kept = 0;
  for (const auto& event : f.status.events) told += event.message.find(text) != std::string::npos;
  for (const auto& event : f.store.events())
    kept += event.data.value("message", std::string()).find(text) != std::string::npos;
  return {told, kept};
}

TEST_CASE("lines that were cut are said at an attempt's end") {
  LoopFixture f(small_spec(1));
  f.use(1, [](const engine::Attempt&) {
    Behaviour behaviour = prints(0.5);
    behaviour.cut_lines = 3;
    return behaviour;
  });
  f.run();
  int said = 0;
  for (const auto& event : f.store.events()) {
    said += event.kind == "notice" && event.trial == 1 &&
            event.data["message"].get<std::string>().find("3 lines") != std::string::npos;
  }
  CHECK(said == 1);
}

TEST_CASE("what is to know of a metric is told once a study, and kept with each trial") {
  LoopFixture f(small_spec(3));
  f.use(1, [](const engine::Attempt&) {
    Behaviour behaviour = prints(0.5);
    behaviour.lines.push_back({Milliseconds(20), "loss", 0, 0, false, {}, "step", "the step 0.4 is none"});
    behaviour.lines.push_back({Milliseconds(20), "acc", 0, 0, false, {}, "step", "the step 0.6 is none"});
    return behaviour;
  });
  f.run();
  CHECK(times_said(f, "metric \"loss\": the step 0.4 is none") == std::pair{1, 3});
  CHECK(times_said(f, "metric \"acc\": the step 0.6 is none") == std::pair{1, 3});
  // The next run of the loop does not say it again.
  f.spec.limits.trials = 4;
  f.status.events.clear();
  f.run();
  CHECK(times_said(f, "the step 0.4 is none") == std::pair{0, 4});
}

TEST_CASE("a trial whose last line gave no number does not complete, also when the loop dies after it") {
  Spec spec = small_spec(1);
  spec.objective.reduce = Reduce::kLast;
  const auto diverges = [](const engine::Attempt&) {
    Behaviour behaviour = prints(0.5);
    behaviour.lines.push_back({Milliseconds(500), "loss", 0, 0, false, "captured \"tensor(nan)\"", {}, {}});
    behaviour.lasts = Milliseconds(2000);
    return behaviour;
  };
  LoopFixture whole(spec);
  whole.use(1, diverges);
  CHECK(whole.run().failed == 1);
  CHECK_THAT(whole.store.trial(1)->reason, Catch::Matchers::Contains("captured \"tensor(nan)\""));
  CHECK(whole.store.trial(1)->failure == "non_finite");

  LoopFixture f(spec);
  f.use(1, diverges);
  f.runner->before_wait = [&] {
    const auto attempts = f.store.attempts();
    const auto file = f.folder.path() / "trials/1/attempts/1/metrics.jsonl";
    std::error_code missing;
    const auto size = std::filesystem::file_size(file, missing);
    std::ifstream lines(file);
    const std::string text(std::istreambuf_iterator<char>(lines), {});
    if (!missing && text.find("unread") != std::string::npos && attempts[0].metrics_offset == size)
      throw OrchestratorGone{};
  };
  CHECK_THROWS_AS(f.run(), OrchestratorGone);
  f.runner->orchestrator_dies([](AttemptId) { return false; });
  // Its supervisor lived long enough to see the trainer end by itself.
  write_file_atomically(f.folder.path() / "trials/1/attempts/1/exit.json",
                        Json{{"schema", 1},
                             {"token", f.store.attempts()[0].token},
                             {"stop", ""},
                             {"failure", ""},
                             {"exit_code", 0},
                             {"wall_seconds", 2},
                             {"cpu_seconds", 1},
                             {"max_rss_bytes", 1},
                             {"cut_lines", 0},
                             {"metrics", 1}}
                            .dump());
  f.use(1, diverges);
  CHECK(f.run().failed == 1);
  CHECK_THAT(f.store.trial(1)->reason, Catch::Matchers::Contains("captured \"tensor(nan)\""));
}

TEST_CASE("an attempt that goes on from a checkpoint counts the steps that the one before counted") {
  LoopFixture f(small_spec(1));
  f.use(1, [&](const engine::Attempt& attempt) {
    std::ofstream(attempt.checkpoint_folder / "last") << "weights";
    Behaviour behaviour = prints(0.5);
    behaviour.lines.push_back({Milliseconds(20), "loss", 0, 0, false, {}, "step", "the step 0.4 is none"});
    behaviour.without_report = attempt.id.attempt == 1;
    return behaviour;
  });
  f.run();
  REQUIRE(f.runner->started.size() == 2);
  CHECK(f.runner->started[0].steps_counted.empty());
  CHECK(f.runner->started[1].steps_counted == std::set<std::string>{"loss"});
  CHECK(f.runner->started[1].steps_done.at("loss") == 1);
}

TEST_CASE("a flood of metrics is taken in pieces, and none is lost") {
  LoopFixture f(small_spec(1));
  std::string flood;
  f.use(1, [&](const engine::Attempt& attempt) {
    for (int step = 2; step <= 30'000; ++step)
      flood += Json{{"token", attempt.token},
                    {"name", "loss"},
                    {"value", 1.0 + step},
                    {"step", step},
                    {"time_ms", 1}}
                   .dump() +
               "\n";
    std::ofstream(attempt.folder / "metrics.jsonl", std::ios::app) << flood;
    return prints(0.5);
  });
  CHECK(f.run().completed == 1);
  CHECK(flood.size() > engine::kMetricsPiece * 2);
  CHECK(f.store.curve(1, "loss").size() == 30'000);
  CHECK(f.store.trial(1)->values.at(0) == 0.5);
}

TEST_CASE("values that all come at a trial's end are told of where a rule could have stopped it") {
  const auto said = [](const std::string& rule, Milliseconds first, Milliseconds second,
                       Milliseconds lasts = Milliseconds(20'000)) {
    Spec spec = small_spec(2);
    spec.early_stopping.rule = rule;
    LoopFixture f(spec);
    f.use(1, [&](const engine::Attempt&) {
      Behaviour behaviour;
      behaviour.lines = {{first, "loss", 0.5, 1, false}, {second, "loss", 0.4, 2, false}};
      behaviour.lasts = lasts;
      return behaviour;
    });
    f.run();
    return times_said(f, "\"stdbuf\", \"-oL\"").first;
  };
  CHECK(said("median", Milliseconds(19'980), Milliseconds(19'990)) == 1);
  CHECK(said("none", Milliseconds(19'980), Milliseconds(19'990)) == 0);
  CHECK(said("median", Milliseconds(10'000), Milliseconds(19'990)) == 0);
  CHECK(said("median", Milliseconds(1'000), Milliseconds(1'010)) == 0);
  // Of a short trial most is the start of its program.
  CHECK(said("median", Milliseconds(4'980), Milliseconds(4'990), Milliseconds(5'000)) == 0);
}

}  // namespace
}  // namespace tune::tests

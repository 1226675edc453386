#include "tuner/cli/status_display.h"

#include <limits>
#include <optional>
#include <sstream>

#include "support/catch.h"
#include "tuner/cli/json_status.h"
#include "tuner/cli/plain_status.h"
#include "tuner/cli/terminal_status.h"
#include "tuner/report/text/table.h"
#include "unit/cli/small_terminal.h"
#include "unit/store/store_fixture.h"

namespace tune::cli {
namespace {

using engine::StatusEvent;
using engine::StatusKind;

StatusEvent event(StatusKind kind, int trial = 0, const std::string& message = {}) {
  StatusEvent made;
  made.kind = kind;
  made.trial = trial;
  made.attempt = trial > 0 ? 1 : 0;
  made.message = message;
  made.time = store::at(0);
  return made;
}

StatusEvent started(int trial, std::vector<std::string> devices = {}) {
  StatusEvent made = event(StatusKind::kAttemptStarted, trial);
  made.devices = std::move(devices);
  made.parameters = {{"lr", 0.001}};
  return made;
}

StatusEvent suggested(int trial, const std::string& brief) {
  StatusEvent made = event(StatusKind::kTrialQueued, trial, "a long note about " + brief);
  made.parameters = {{"lr", 0.001}};
  made.brief = brief;
  return made;
}

StatusEvent chosen(int trial, const std::string& choice, const std::string& reason) {
  StatusEvent made = suggested(trial, "");
  made.choice = choice;
  made.choice_reason = reason;
  return made;
}

StatusEvent metric(int trial, const std::string& name, std::int64_t step, double value) {
  StatusEvent made = event(StatusKind::kMetric, trial);
  made.metric = name;
  made.point = {step, value};
  return made;
}

StatusEvent finished(int trial, TrialState state, std::optional<double> value,
                     const std::string& reason = {}) {
  StatusEvent made = event(StatusKind::kTrialFinished, trial, reason);
  made.state = state;
  made.value = value;
  return made;
}

StatusEvent best(int trial, double value) {
  StatusEvent made = event(StatusKind::kBest, trial);
  made.value = value;
  return made;
}

store::StudyRow study_of_epochs(int epochs) {
  store::StudyRow row = store::study_row();
  row.spec["fixed"]["epochs"] = epochs;
  return row;
}

// A display on a small terminal with a manual clock.
struct Live {
  explicit Live(std::size_t columns, int rows = 24, const store::StudyRow& study = study_of_epochs(20))
      : terminal(columns), size{static_cast<int>(columns), rows}, progress(study, {}, clock) {
    display.emplace(
        out, progress, [this] { return size; }, false);
  }
  void show(const StatusEvent& what) {
    display->on_event(what);
    flush();
  }
  void wait(Milliseconds time) {
    clock.advance(time);
    display->on_tick(clock.steady_now());
    flush();
  }
  void resize(int columns) {
    terminal.resize(static_cast<std::size_t>(columns));
    size.columns = columns;
  }
  void flush() {
    terminal.write(out.str());
    written += out.str().size();
    out.str("");
  }
  void end() {
    display.reset();
    flush();
  }

  ManualClock clock;
  std::ostringstream out;
  SmallTerminal terminal;
  TerminalSize size;
  StudyProgress progress;
  std::optional<TerminalStatus> display;
  std::size_t written = 0;
};

TEST_CASE("the live area shows running trials and totals, and is rewritten in place", "[display]") {
  Live live(120);
  live.show(started(1, {"GPU-1a2b3c4d-5e6f-7a8b"}));
  live.show(started(2));
  live.wait(Milliseconds(2000));
  CHECK(live.terminal.screen() == std::vector<std::string>{
                                      "  trial 1  starting  GPU-1a2b3c4d  2s",
                                      "  trial 2  starting  cpu  2s",
                                      "steel-legacy: 0/8 done, 2 running | 2s",
                                  });
  live.show(metric(1, "validation:mAP", 4, 0.25));
  live.wait(Milliseconds(2000));
  CHECK(live.terminal.screen() == std::vector<std::string>{
                                      "  trial 1  epoch 4/20  validation:mAP 0.25  GPU-1a2b3c4d  4s",
                                      "  trial 2  starting  cpu  4s",
                                      "steel-legacy: 0/8 done, 2 running, about 1m 16s left | 4s",
                                  });
}

TEST_CASE("what happened scrolls above the live area, which shrinks with the trials", "[display]") {
  Live live(120);
  live.show(started(1));
  live.show(started(2));
  live.wait(Milliseconds(1000));
  live.show(finished(1, TrialState::kCompleted, 0.4125, "completed"));
  live.show(best(1, 0.4125));
  live.show(finished(2, TrialState::kFailed, std::nullopt, "crash: exit code 3"));
  live.wait(Milliseconds(1000));
  CHECK(live.terminal.screen() == std::vector<std::string>{
                                      "trial 1 completed: validation:mAP 0.4125, the best so far",
                                      "trial 2 failed: crash: exit code 3",
                                      "steel-legacy: 2/8 done (1 failed), about 3s left | best 0.4125 "
                                      "(trial 1) | 2s",
                                  });
  live.end();
  CHECK(live.terminal.screen().size() == 2);
}

TEST_CASE("a resized window leaves no remains of the old lines", "[display]") {
  Live live(120);
  for (int trial = 1; trial <= 3; ++trial) live.show(started(trial, {"GPU-1a2b3c4d-5e6f-7a8b"}));
  for (int trial = 1; trial <= 3; ++trial) live.show(metric(trial, "validation:mAP", 4, 0.25));
  live.wait(Milliseconds(1000));
  for (const int columns : {35, 20, 60, 120}) {
    live.resize(columns);
    live.wait(Milliseconds(1000));
    const auto screen = live.terminal.screen();
    CAPTURE(columns);
    CHECK(screen.size() == 4);
    for (const std::string& line : screen) CHECK(line.size() < static_cast<std::size_t>(columns));
  }
}

TEST_CASE("a window that is too low shows how many trials it hides", "[display]") {
  Live live(80, 8);
  for (int trial = 1; trial <= 20; ++trial) live.show(started(trial));
  live.wait(Milliseconds(1000));
  const auto screen = live.terminal.screen();
  REQUIRE(screen.size() == 5);
  CHECK(screen[3] == "  and 17 more");
}

TEST_CASE("a flood of metrics is drawn four times a second, not at every line", "[display]") {
  Live live(80);
  live.show(started(1));
  live.wait(Milliseconds(1000));
  const std::size_t before = live.written;
  for (int step = 1; step <= 10'000; ++step) live.show(metric(1, "validation:mAP", step, 0.1));
  CHECK(live.written == before);
  live.wait(Milliseconds(250));
  CHECK(live.terminal.screen().at(0).find("epoch 10000/20") != std::string::npos);
}

TEST_CASE("a message cannot break out of its line", "[display]") {
  Live live(80);
  live.show(event(StatusKind::kNotice, 0, "log ends with \x1b[2J\r\nthis"));
  live.end();
  CHECK(live.terminal.screen() == std::vector<std::string>{"notice: log ends with  [2J  this"});
}

TEST_CASE("the objective is the metric shown once it was seen", "[display]") {
  ManualClock clock;
  StudyProgress progress(store::study_row(), {}, clock);
  progress.apply(started(1));
  progress.apply(metric(1, "loss", 1, 3));
  CHECK(progress.running().at(1).metric == "loss");
  progress.apply(metric(1, "validation:mAP", 1, 0.1));
  progress.apply(metric(1, "loss", 2, 2));
  CHECK(progress.running().at(1).metric == "validation:mAP");
}

TEST_CASE("a continued study counts what the store holds", "[display]") {
  ManualClock clock;
  store::StudyRow study = store::study_row();
  study.elapsed_seconds = 60;
  const StudyProgress progress(
      study, {store::completed(store::trial_row(1), 0.3), store::completed(store::trial_row(2), 0.4)}, clock);
  clock.advance(Milliseconds(5000));
  CHECK(totals_line(progress) == "2/8 done | best 0.4 (trial 2) | 1m 05s");
}

TEST_CASE("the remaining time follows the pace of this run and the time limit", "[display]") {
  ManualClock clock;
  store::StudyRow study = store::study_row();
  StudyProgress progress(study, {}, clock);
  CHECK_FALSE(progress.remaining().has_value());
  progress.apply(started(2));
  clock.advance(Milliseconds(10'000));
  progress.apply(finished(2, TrialState::kCompleted, 0.2));
  CHECK(progress.remaining() == Milliseconds(70'000));  // 7 of 8 are left at 10 s each

  study.limits["time"] = "25s";
  StudyProgress limited(study, {}, clock);
  CHECK(limited.remaining() == Milliseconds(25'000));
  clock.advance(Milliseconds(30'000));
  CHECK(limited.remaining() == Milliseconds(0));
}

TEST_CASE("limits that a person sets while the study runs are shown from then on", "[display]") {
  ManualClock clock;
  store::StudyRow study = store::study_row();
  StudyProgress progress(study, {}, clock);
  progress.apply(started(2));
  clock.advance(Milliseconds(10'000));
  progress.apply(finished(2, TrialState::kCompleted, 0.2));
  StatusEvent set = event(StatusKind::kRequest, 0, "ada@host: limits.trials: 8 -> 40");
  progress.apply(set);
  CHECK(progress.trial_limit() == 8);
  set.limits = Json{{"trials", 41}, {"parallel", 4}, {"time", "45s"}};
  progress.apply(set);
  CHECK(progress.trial_limit() == 41);
  CHECK(progress.remaining() == Milliseconds(35'000));
  set.limits = Json{{"trials", 41}, {"parallel", 4}};
  progress.apply(set);
  CHECK(progress.remaining() == Milliseconds(100'000));  // 40 are left at 10 s each, 4 at once
}

TEST_CASE("a trial that is fast or slow does not make the remaining time jump", "[display]") {
  ManualClock clock;
  store::StudyRow study = store::study_row();
  study.limits["trials"] = 100;
  study.limits["parallel"] = 2;
  StudyProgress progress(study, {}, clock);
  for (int trial = 1; trial <= 10; ++trial) {
    progress.apply(started(trial));
    clock.advance(Milliseconds(10'000));
    progress.apply(finished(trial, TrialState::kCompleted, 0.2));
  }
  CHECK(progress.remaining() == Milliseconds(450'000));  // 90 are left at 10 s each, two at once
  progress.apply(started(11));
  clock.advance(Milliseconds(100));
  progress.apply(finished(11, TrialState::kFailed, std::nullopt));
  CHECK(progress.remaining() == Milliseconds(445'000));
  progress.apply(started(12));
  clock.advance(Milliseconds(4'000));
  CHECK(progress.remaining() == Milliseconds(443'000));  // 88 whole ones, and 6 s of this
}

TEST_CASE("80 columns show what is done and the remaining time, whatever else must go", "[display]") {
  store::StudyRow study = study_of_epochs(20);
  study.name = "a-study-with-a-rather-long-name-of-many-words";
  study.limits["trials"] = 200;
  Live live(80, 24, study);
  for (int trial = 1; trial <= 3; ++trial) {
    live.show(started(trial));
    live.wait(Milliseconds(60'000));
    live.show(finished(trial, trial == 3 ? TrialState::kFailed : TrialState::kCompleted, 0.123456));
  }
  live.show(best(1, 0.123456));
  live.wait(Milliseconds(1000));
  const std::string line = live.terminal.screen().back();
  CHECK_THAT(line, Catch::Matchers::Contains("3/200 done (1 failed), about 3h 17m left"));
}

TEST_CASE("plain lines: one for each change of state, totals at most every 30 seconds", "[display]") {
  ManualClock clock;
  std::ostringstream out;
  PlainStatus display(out, StudyProgress(store::study_row(), {}, clock));
  display.on_event(event(StatusKind::kStudyStarted, 0, "8 trials, 2 at once"));
  display.on_event(suggested(1, "Sobol point"));
  display.on_event(started(1, {"GPU-1"}));
  for (int step = 1; step <= 100; ++step) {
    display.on_event(metric(1, "validation:mAP", step, 0.1));
    clock.advance(Milliseconds(500));
    display.on_tick(clock.steady_now());
  }
  display.on_event(event(StatusKind::kAttemptRequeued, 1, "lost: its supervisor ended without a report"));
  StatusEvent again = started(1, {"GPU-2"});
  again.attempt = 2;
  display.on_event(again);
  CHECK(out.str() ==
        "[0s] 8 trials, 2 at once\n"
        "[0s] trial 1 starts on GPU-1: lr=0.001 (Sobol point)\n"
        "[30s] 0/8 done, 1 running | 30s\n"
        "[50s] trial 1 runs again (attempt 2) on GPU-2: lost: its supervisor ended without a report\n");
}

TEST_CASE("what auto takes is said once, and again only when it changes", "[display]") {
  ManualClock clock;
  EventWords words;
  const StudyProgress progress(store::study_row(), {}, clock);
  CHECK(words.line(suggested(1, "from try_first"), progress).empty());
  CHECK(words.line(chosen(2, "auto takes bayesian", "the space suits it"), progress) ==
        "auto takes bayesian, since the space suits it");
  CHECK(words.line(chosen(3, "auto takes bayesian", "the space suits it"), progress).empty());
  CHECK(words.line(chosen(4, "auto takes tpe", "65 trials are pending"), progress) ==
        "auto takes tpe from trial 4 on, since 65 trials are pending");
  CHECK(words.line(chosen(5, "auto takes tpe", "66 trials are pending"), progress).empty());
  CHECK(words.line(chosen(6, "auto takes bayesian", "the space suits it"), progress) ==
        "auto takes bayesian from trial 6 on, since the space suits it");
}

TEST_CASE("the end of a trial costs one line, which says how it stands beside the best", "[display]") {
  ManualClock clock;
  EventWords words;
  StudyProgress progress(store::study_row(), {}, clock);  // more is better
  const auto line = [&](const StatusEvent& what) {
    std::string said = words.line(what, progress);
    progress.apply(what);
    return said;
  };
  CHECK(line(finished(2, TrialState::kCompleted, 0.25, "completed")) ==
        "trial 2 completed: validation:mAP 0.25, the best so far");
  CHECK(line(best(2, 0.25)).empty());
  CHECK(line(finished(1, TrialState::kCompleted, 0.5, "completed")) ==
        "trial 1 completed: validation:mAP 0.5, the best so far (before: 0.25, trial 2)");
  CHECK(line(best(1, 0.5)).empty());
  CHECK(line(finished(3, TrialState::kCompleted, 0.125, "limits.trial_time ran out")) ==
        "trial 3 completed: validation:mAP 0.125 (best: 0.5, trial 1); limits.trial_time ran out");
  StatusEvent stopped = finished(4, TrialState::kStopped, 0.75, "At step 1 validation:mAP had reached ...");
  stopped.brief = "at step 1: validation:mAP 0.75, median of 3 trials 0.8";
  CHECK(line(stopped) == "trial 4 stopped at step 1: validation:mAP 0.75, median of 3 trials 0.8");
  CHECK(line(finished(5, TrialState::kStopped, 0.125, "time limit")) ==
        "trial 5 stopped: validation:mAP 0.125; time limit");
  CHECK(line(finished(6, TrialState::kFailed, std::nullopt, "oom: exit code 75")) ==
        "trial 6 failed: oom: exit code 75");
}

TEST_CASE("of equal values the earlier trial is the best, whichever ended first") {
  const ManualClock clock;
  StudyProgress progress(store::study_row(), {}, clock);
  for (const StatusEvent& what :
       {finished(2, TrialState::kCompleted, 0.25), best(2, 0.25), finished(3, TrialState::kCompleted, 0.25)})
    progress.apply(what);
  CHECK(progress.best()->trial == 2);
  progress.apply(finished(1, TrialState::kCompleted, 0.25));
  CHECK(progress.best()->trial == 1);
}

TEST_CASE("a trial that could not be started says what it tries when it does start", "[display]") {
  ManualClock clock;
  EventWords words;
  StudyProgress progress(store::study_row(), {}, clock);
  CHECK(words.line(suggested(1, ""), progress).empty());
  CHECK(words.line(event(StatusKind::kAttemptRequeued, 1, "not started: no memory"), progress).empty());
  StatusEvent second = started(1);
  second.attempt = 2;
  CHECK(words.line(second, progress) == "trial 1 starts (attempt 2): lr=0.001");
  // One of an earlier run: nothing is known of why.
  StatusEvent third = started(7);
  third.attempt = 3;
  CHECK(words.line(third, progress) == "trial 7 runs again (attempt 3)");
}

TEST_CASE("a trial that waits for another run of the study, or for its rule, says so at once", "[display]") {
  ManualClock clock;
  EventWords words;
  StudyProgress progress(store::study_row(), {}, clock);
  StatusEvent paused = event(StatusKind::kAttemptRequeued, 1, "worse than half of its rung");
  paused.state = TrialState::kPaused;
  CHECK(words.line(paused, progress) == "trial 1 paused: worse than half of its rung");
  progress.apply(event(StatusKind::kDraining, 0, "interrupted"));
  CHECK(words.line(event(StatusKind::kAttemptRequeued, 2, "interrupted"), progress) ==
        "trial 2 will run again: interrupted");
}

TEST_CASE("above the live area a start has no line, but a trial that runs again has one", "[display]") {
  Live live(120);
  live.show(chosen(1, "auto takes tpe", "the space is wide"));
  live.show(started(1));
  live.show(event(StatusKind::kAttemptRequeued, 1, "lost"));
  StatusEvent again = started(1);
  again.attempt = 2;
  live.show(again);
  StatusEvent promoted = event(StatusKind::kPromotion, 1, "m version 1: first version");
  promoted.brief = "promoted: m version 1 (first version)";
  live.show(promoted);
  live.end();
  CHECK(live.terminal.screen() == std::vector<std::string>{
                                      "auto takes tpe, since the space is wide",
                                      "trial 1 runs again (attempt 2): lost",
                                      "promoted: m version 1 (first version)",
                                  });
}

TEST_CASE("nothing is printed while nothing changes", "[display]") {
  ManualClock clock;
  std::ostringstream out;
  PlainStatus display(out, StudyProgress(store::study_row(), {}, clock));
  for (int i = 0; i < 100; ++i) {
    clock.advance(Milliseconds(10'000));
    display.on_tick(clock.steady_now());
  }
  CHECK(out.str().empty());
}

TEST_CASE("JSON has a line for every event, metrics and non-finite values included", "[display]") {
  std::ostringstream out;
  JsonStatus display(out);
  StatusEvent done = finished(3, TrialState::kStopped, 0.5, "worse than the median \xff");
  done.id = 12;
  done.brief = "in few words";
  display.on_event(metric(3, "loss", 2, std::numeric_limits<double>::quiet_NaN()));
  display.on_event(done);
  std::istringstream lines(out.str());
  std::string line;
  REQUIRE(std::getline(lines, line));
  CHECK(Json::parse(line) == Json{{"schema", 1},
                                  {"event", "metric"},
                                  {"time", "2023-11-14T22:13:20.000Z"},
                                  {"trial", 3},
                                  {"attempt", 1},
                                  {"metric", "loss"},
                                  {"step", 2},
                                  {"value", "NaN"}});
  REQUIRE(std::getline(lines, line));
  const Json json = Json::parse(line);
  CHECK(json.at("event") == "trial_finished");
  CHECK(json.at("id") == 12);
  CHECK(json.at("state") == "stopped");
  CHECK(json.at("value") == 0.5);
  CHECK(json.at("message").get<std::string>().find("worse than the median") == 0);
  CHECK_FALSE(json.contains("brief"));
  CHECK_FALSE(std::getline(lines, line));
}

TEST_CASE("a reader that went away does not stop a display", "[display]") {
  ManualClock clock;
  std::ostringstream out;
  PlainStatus display(out, StudyProgress(store::study_row(), {}, clock));
  out.setstate(std::ios::badbit);
  display.on_event(event(StatusKind::kNotice, 0, "lost"));
  display.on_event(event(StatusKind::kNotice, 0, "kept"));
  CHECK(out.str().find("kept") != std::string::npos);
}

TEST_CASE("what repeats a trial counts for no limit, in this run and in the next") {
  ManualClock clock;
  store::StudyRow study = store::study_row();
  StudyProgress progress(study, {}, clock);
  StatusEvent begins = started(2), ends = finished(2, TrialState::kCompleted, 0.5);
  begins.rerun_of = ends.rerun_of = 1;
  progress.apply(finished(1, TrialState::kCompleted, 0.5));
  progress.apply(begins);
  CHECK(progress.is_new_best(finished(2, TrialState::kCompleted, 0.75)));
  ends.value = 0.75;
  CHECK_FALSE(progress.is_new_best(ends));
  progress.apply(ends);
  CHECK(progress.finished() == 1);
  CHECK(progress.replicated() == 0);
  store::TrialRow first = store::trial_row(1), repeat = store::trial_row(2);
  first.state = repeat.state = TrialState::kCompleted;
  first.values = {0.5};
  repeat.values = {0.75};
  repeat.facts.rerun_of = 1;
  const StudyProgress later(study, {first, repeat}, clock);
  CHECK(later.finished() == 1);
  CHECK(later.best()->trial == 1);
  CHECK(later.is_new_best(finished(3, TrialState::kCompleted, 0.625)));
}

TEST_CASE("the display suits the console", "[display]") {
  ManualClock clock;
  std::ostringstream out, err;
  Console console{out, err};
  const auto plain = make_status_display(console, false, StudyProgress(store::study_row(), {}, clock));
  const auto json = make_status_display(console, true, StudyProgress(store::study_row(), {}, clock));
  plain->on_event(event(StatusKind::kNotice, 0, "hello"));
  CHECK(out.str().empty());
  CHECK(err.str() == "[0s] notice: hello\n");
  json->on_event(event(StatusKind::kNotice, 0, "hello"));
  CHECK(Json::parse(out.str()).at("event") == "notice");
}

}  // namespace
}  // namespace tune::cli

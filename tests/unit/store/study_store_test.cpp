#include "store/study_store.h"

#include <cmath>
#include <limits>

#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::store {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

StudyStore memory_study() {
  StudyStore store(":memory:", OpenMode::kCreate);
  store.create_study(study_row());
  return store;
}

TEST_CASE("a study row is read back as it was written", "[store]") {
  const TemporaryFolder folder;
  {
    StudyStore store(folder / "study.db", OpenMode::kCreate);
    store.create_study(study_row());
  }
  const StudyRow row = StudyStore(folder / "study.db", OpenMode::kRead).study();
  const StudyRow expected = study_row();
  CHECK(row.name == expected.name);
  CHECK(row.spec == expected.spec);
  CHECK(row.spec_text == expected.spec_text);
  CHECK(row.folder == expected.folder);
  CHECK(row.seed == expected.seed);
  CHECK(row.objective.metric == "validation:mAP");
  CHECK(row.objective.goal == Goal::kMaximize);
  CHECK(row.objective.reduce == Reduce::kBest);
  CHECK(row.limits == expected.limits);
  CHECK(Json(row.facts) == Json(expected.facts));
  CHECK(row.state == StudyState::kRunning);
  CHECK(row.created == expected.created);
  CHECK(row.updated == expected.updated);
}

TEST_CASE("update_study changes what may change and keeps the spec", "[store]") {
  StudyStore store = memory_study();
  StudyRow row = study_row();
  row.spec = "something else";
  row.state = StudyState::kFinished;
  row.finish_reason = "trial limit";
  row.elapsed_seconds = 12.5;
  row.limits = {{"trials", 40}};
  row.updated = at(99);
  store.update_study(row);
  const StudyRow read = store.study();
  CHECK(read.spec == study_row().spec);
  CHECK(read.state == StudyState::kFinished);
  CHECK(read.finish_reason == "trial limit");
  CHECK(read.elapsed_seconds == 12.5);
  CHECK(read.limits == Json{{"trials", 40}});
  CHECK(read.updated == at(99));
}

TEST_CASE("a trial goes from queued to completed and is read back whole", "[store]") {
  StudyStore store = memory_study();
  store.insert_trial(trial_row(1));
  store.insert_trial(trial_row(2));
  TrialRow running = trial_row(1);
  running.state = TrialState::kRunning;
  running.started = at(50);
  store.update_trial(running);
  CHECK(store.trial(1)->state == TrialState::kRunning);
  store.update_trial(completed(running, 0.4125));

  const TrialRow read = store.trial(1).value();
  CHECK(read.parameters == trial_row(1).parameters);
  CHECK(read.parameters.at("batch_size").is_number_integer());
  CHECK(read.values == std::vector<double>{0.4125});
  CHECK(read.note == "Sobol point 1");
  CHECK(read.ended == running.created + Milliseconds(5));
  CHECK_FALSE(store.trial(2)->started.has_value());
  CHECK(store.trials().size() == 2);
  CHECK(store.trial_count() == 2);
  CHECK_FALSE(store.trial(3).has_value());
}

TEST_CASE("a finished trial never changes", "[store]") {
  StudyStore store = memory_study();
  for (const TrialState state : {TrialState::kCompleted, TrialState::kStopped, TrialState::kFailed}) {
    const int number = store.trial_count() + 1;
    store.insert_trial(trial_row(number));
    TrialRow row = completed(trial_row(number), 0.5);
    row.state = state;
    store.update_trial(row);
    row.values = {0.9};
    CHECK(code_of([&] { store.update_trial(row); }) == ExitCode::kInternal);
    CHECK(store.trial(number)->values == std::vector<double>{0.5});
  }
}

TEST_CASE("a finished trial changes only together with an event that keeps what it was", "[store]") {
  StudyStore store(":memory:", OpenMode::kCreate);
  store.create_study(study_row());
  store.insert_trial(trial_row(1));
  store.insert_trial(trial_row(2));
  store.update_trial(completed(trial_row(1), 0.25));
  store.update_trial(completed(trial_row(2), 1e-5));
  TrialRow changed = completed(trial_row(1), 0.5);
  changed.cut = "trial_time";
  store.change_finished_trial(changed, event_row("trial_rescanned"));
  CHECK(store.trial(1)->values == std::vector<double>{0.5});
  CHECK(store.trial(1)->cut == "trial_time");
  const EventRow event = store.events().back();
  CHECK(event.trial == 1);
  CHECK(event.data.at("before") ==
        Json({{"state", "completed"}, {"reason", ""}, {"failure", ""}, {"values", {0.25}}}));
  // That event speaks of that change of that trial alone, and only while it is the last.
  CHECK(code_of([&] { store.update_trial(completed(trial_row(1), 0.75)); }) == ExitCode::kInternal);
  CHECK(code_of([&] { store.update_trial(completed(trial_row(2), 0.75)); }) == ExitCode::kInternal);
  CHECK(code_of([&] { store.change_finished_trial(changed, event_row("notice")); }) == ExitCode::kInternal);
  CHECK(code_of([&] { store.change_finished_trial(trial_row(3), event_row("trial_reopened")); }) ==
        ExitCode::kInternal);
  CHECK(store.trial(1)->values == std::vector<double>{0.5});
  store.change_finished_trial(trial_row(2), event_row("trial_reopened"));
  CHECK(store.trial(2)->state == TrialState::kQueued);
}

TEST_CASE("a study's spec and folder are replaced while its trials stay", "[store]") {
  StudyStore store(":memory:", OpenMode::kCreate);
  store.create_study(study_row());
  store.insert_trial(trial_row(1));
  StudyRow row = study_row();
  row.folder = "/moved";
  row.spec["metrics"] = Json::array();
  row.spec_text = "{}";
  store.update_spec(row);
  CHECK(store.study().folder == "/moved");
  CHECK(store.study().spec == row.spec);
  CHECK(store.study().spec_text == "{}");
  CHECK(store.trial_count() == 1);
}

TEST_CASE("trial numbers have no gaps and no twins", "[store]") {
  StudyStore store = memory_study();
  store.insert_trial(trial_row(1));
  CHECK(code_of([&] { store.insert_trial(trial_row(3)); }) == ExitCode::kInternal);
  CHECK(code_of([&] { store.insert_trial(trial_row(1)); }) == ExitCode::kInternal);
  CHECK(code_of([&] { store.update_trial(trial_row(7)); }) == ExitCode::kInternal);
  store.insert_trial(trial_row(2));
  CHECK(store.trial_count() == 2);
}

TEST_CASE("an attempt is read back whole", "[store]") {
  StudyStore store = memory_study();
  store.insert_trial(trial_row(1));
  store.insert_trial(trial_row(2));
  store.insert_attempt(attempt_row(2, 1));
  store.insert_attempt(attempt_row(1, 1));
  AttemptRow row = attempt_row(1, 1);
  row.state = AttemptState::kExited;
  row.supervisor_pid = 4711;
  row.supervisor_start_time = 0xFFFF'FFFF'FFFF'0000u;
  row.boot_id = "b00t";
  row.devices = {"GPU-1", "GPU-2"};
  row.threads = 3;
  row.metrics_offset = 123;
  row.signal = 9;
  row.stop = StopReason::kRule;
  row.reason = "worse than the median";
  row.lease_seconds = 1.25;
  row.cpu_seconds = 2.5;
  row.max_rss_bytes = 1u << 30;
  row.started = at(60);
  row.ended = at(70);
  store.update_attempt(row);

  const std::vector<AttemptRow> of_one = store.attempts(1);
  REQUIRE(of_one.size() == 1);
  const AttemptRow& read = of_one.front();
  CHECK(read.token == row.token);
  CHECK(read.supervisor_pid == 4711);
  CHECK(read.supervisor_start_time == row.supervisor_start_time);
  CHECK(read.devices == row.devices);
  CHECK(read.metrics_offset == 123);
  CHECK_FALSE(read.exit_code.has_value());
  CHECK(read.signal == 9);
  CHECK(read.stop == StopReason::kRule);
  CHECK(read.lease_seconds == 1.25);
  CHECK(read.max_rss_bytes == 1u << 30);
  CHECK(read.ended == at(70));
  const std::vector<AttemptRow> all = store.attempts();
  REQUIRE(all.size() == 2);
  CHECK(all[0].trial == 1);
  CHECK(all[1].trial == 2);
  CHECK(code_of([&] { store.update_attempt(attempt_row(2, 5)); }) == ExitCode::kInternal);
}

TEST_CASE("NaN and infinities survive the store in metrics and in values", "[store]") {
  StudyStore store = memory_study();
  store.insert_trial(trial_row(1));
  store.insert_metrics({metric_row(1, "loss", 1, kNan), metric_row(1, "loss", 2, kInfinity),
                        metric_row(1, "loss", 3, -kInfinity), metric_row(1, "loss", 4, 0.5)});
  const auto curve = store.curve(1, "loss");
  REQUIRE(curve.size() == 4);
  CHECK(std::isnan(curve[0].value));
  CHECK(curve[1].value == kInfinity);
  CHECK(curve[2].value == -kInfinity);
  CHECK(curve[3].value == 0.5);
  store.update_trial(completed(trial_row(1), kNan));
  REQUIRE(store.trial(1)->values.size() == 1);
  CHECK(std::isnan(store.trial(1)->values[0]));
}

TEST_CASE("of a repeated step of a metric the later value counts", "[store]") {
  StudyStore store = memory_study();
  store.insert_trial(trial_row(1));
  store.insert_trial(trial_row(2));
  store.insert_metrics({metric_row(1, "validation:mAP", 2, 0.2), metric_row(1, "validation:mAP", 1, 0.1)});
  MetricRow again = metric_row(1, "validation:mAP", 2, 0.25);
  again.attempt = 2;
  store.insert_metrics({again, metric_row(1, "loss", 1, 3), metric_row(2, "validation:mAP", 1, 0.7)});

  const auto rows = store.metrics(1);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].name == "loss");
  CHECK(rows[1].point.step == 1);
  CHECK(rows[2].point.step == 2);
  CHECK(rows[2].point.value == 0.25);
  CHECK(rows[2].attempt == 2);
  CHECK(store.metrics(1, "loss").size() == 1);
  CHECK(store.metrics(1, "unknown").empty());
  CHECK(store.curve(1, "validation:mAP").size() == 2);
  CHECK(store.curve(2, "validation:mAP").front().value == 0.7);
}

TEST_CASE("the last point of a metric is that of the largest step, trial by trial", "[store]") {
  StudyStore store(":memory:", OpenMode::kCreate);
  store.create_study(study_row());
  for (int number = 1; number <= 3; ++number) store.insert_trial(trial_row(number));
  for (int number = 1; number <= 3; ++number) store.insert_attempt(attempt_row(number, 1));
  store.insert_metrics({metric_row(1, "loss", 2, 0.5), metric_row(1, "loss", 1, 0.25),
                        metric_row(2, "loss", 7, std::nan("")), metric_row(3, "other", 1, 1)});
  const auto points = store.last_points("loss");
  REQUIRE(points.size() == 2);
  CHECK(points.at(1).step == 2);
  CHECK(points.at(1).value == 0.5);
  CHECK(std::isnan(points.at(2).value));
  CHECK(store.last_points("none").empty());
}

TEST_CASE("a metric adds up by attempt, finite points alone", "[store]") {
  const TemporaryFolder folder;
  StudyStore store(folder / "study.db", OpenMode::kCreate);
  store.create_study(study_row());
  store.insert_trial(trial_row(1));
  store.insert_trial(trial_row(2));
  MetricRow second = metric_row(1, "seconds:validation", 3, 4);
  second.attempt = 2;
  store.insert_metrics({metric_row(1, "seconds:validation", 1, 1.5),
                        metric_row(1, "seconds:validation", 2, 2), second,
                        metric_row(2, "seconds:validation", 1, std::nan("")), metric_row(2, "loss", 1, 9)});
  const std::map<std::pair<int, int>, double> sums = store.metric_sums("seconds:validation");
  CHECK(sums == std::map<std::pair<int, int>, double>{{{1, 1}, 3.5}, {{1, 2}, 4}});
  CHECK(store.metric_sums("unknown").empty());
}

TEST_CASE("what is said for the bill survives a trial that begins anew, and steps that are repeated",
          "[store]") {
  const TemporaryFolder folder;
  StudyStore store(folder / "study.db", OpenMode::kCreate);
  store.create_study(study_row());
  store.insert_trial(trial_row(1));
  store.insert_trial(trial_row(2));
  const auto say = [&](int attempt, std::int64_t step, double seconds) {
    MetricRow row = metric_row(1, "seconds:validation", step, seconds);
    row.attempt = attempt;
    MetricRow loss = metric_row(1, "loss", step, seconds);
    loss.attempt = attempt;
    store.insert_metrics({row, loss});
  };
  say(1, 1, 2);
  say(1, 2, 3);
  store.insert_metrics({metric_row(2, "seconds:validation", 1, 7)});
  store.remove_metrics(1);
  CHECK(store.metrics(1).empty());
  say(2, 1, 4);
  using Sums = std::map<std::pair<int, int>, double>;
  CHECK(store.metric_sums("seconds:validation") == Sums{{{1, 1}, 5}, {{1, 2}, 4}, {{2, 1}, 7}});
  // The third goes on from a checkpoint before the second's validation, and makes it once more.
  say(3, 1, 8);
  say(3, 2, 16);
  CHECK(store.metric_sums("seconds:validation") == Sums{{{1, 1}, 5}, {{1, 2}, 4}, {{1, 3}, 24}, {{2, 1}, 7}});
  CHECK(store.metrics(1, "loss").size() == 2);
  store.remove_metrics(1);
  CHECK(store.metric_sums("seconds:validation") == Sums{{{1, 1}, 5}, {{1, 2}, 4}, {{1, 3}, 24}, {{2, 1}, 7}});
  CHECK(store.metric_sums("loss").empty());
}

TEST_CASE("each run of a study lasted from its start to its end, whatever other commands record later",
          "[store]") {
  StudyStore store = memory_study();
  CHECK(store.running_times().empty());
  constexpr int kDay = 86'400'000;
  const auto log = [&](const char* kind, int ms, const char* message = "x") {
    EventRow row = event_row(kind);
    row.time = at(ms);
    row.data["message"] = message;
    store.append_event(row);
  };
  const auto other_commands = [&](int ms) {
    log("notice", ms, "the spec lies in /elsewhere now");
    log("notice", ms, "the spec has changed; before it was paused: no");
    log("promotion", ms);
    log("trial_reopened", ms);
    log("trial_rescanned", ms);
    log("metrics_removed", ms);
  };
  log("notice", 0);
  log("study_started", 10);
  log("trial_finished", 30);  // killed
  other_commands(kDay);
  log("study_started", 2 * kDay);
  log("study_finished", 2 * kDay + 70);
  other_commands(3 * kDay);
  log("study_started", 4 * kDay);
  log("draining", 4 * kDay + 5);
  log("attempt_requeued", 4 * kDay + 8);
  other_commands(5 * kDay);
  log("study_started", 6 * kDay);
  log("notice", 6 * kDay + 90, "paused: no program");
  other_commands(7 * kDay);
  log("study_started", 8 * kDay);
  other_commands(9 * kDay);
  std::vector<std::pair<int, int>> times;
  for (const auto& [begin, end] : store.running_times())
    times.emplace_back((begin - at(0)).count(), (end - at(0)).count());
  CHECK(times == std::vector<std::pair<int, int>>{{10, 30},
                                                  {2 * kDay, 2 * kDay + 70},
                                                  {4 * kDay, 4 * kDay + 8},
                                                  {6 * kDay, 6 * kDay + 90},
                                                  {8 * kDay, 8 * kDay}});
}

TEST_CASE("event numbers ascend without gaps, whatever is rolled back between them", "[store]") {
  StudyStore store = memory_study();
  CHECK(store.append_event(event_row("study_started")) == 1);
  {
    StudyStore::Transaction given_up(store);
    CHECK(store.append_event(event_row("lost")) == 2);
  }
  CHECK(store.append_event(event_row("trial_queued", 1)) == 2);
  CHECK(store.append_event(event_row("trial_queued", 2)) == 3);
  const auto events = store.events(1);
  REQUIRE(events.size() == 2);
  CHECK(events[0].id == 2);
  CHECK(events[0].kind == "trial_queued");
  CHECK(events[0].data == Json{{"message", "trial_queued"}});
  CHECK(events[1].trial == 2);
  CHECK(store.events(0, 1).size() == 1);
}

TEST_CASE("bytes that are not UTF-8 do not keep an event out of the store", "[store]") {
  StudyStore store = memory_study();
  EventRow row = event_row("notice");
  row.data = {{"message", "log ends with \xff\xfe"}};
  CHECK(store.append_event(row) == 1);
  CHECK(store.events().front().data.at("message").get<std::string>().starts_with("log ends with "));
}

TEST_CASE("a transaction that is not committed leaves nothing, and inner ones join it", "[store]") {
  StudyStore store = memory_study();
  {
    StudyStore::Transaction outer(store);
    store.insert_trial(trial_row(1));
    store.insert_metrics({metric_row(1, "loss", 1, 1)});
    StudyStore::Transaction inner(store);
    store.append_event(event_row("trial_queued", 1));
    inner.commit();
  }
  CHECK(store.trial_count() == 0);
  CHECK(store.events().empty());

  // The name of the metric was undone too; writing it again must not point at what is gone.
  store.insert_trial(trial_row(1));
  store.insert_metrics({metric_row(1, "loss", 1, 1)});
  CHECK(store.curve(1, "loss").size() == 1);
}

TEST_CASE("an outer transaction around a given-up inner one cannot be committed", "[store]") {
  StudyStore store = memory_study();
  {
    StudyStore::Transaction outer(store);
    store.insert_trial(trial_row(1));
    { StudyStore::Transaction inner(store); }
    CHECK(code_of([&] { outer.commit(); }) == ExitCode::kInternal);
  }
  CHECK(store.trial_count() == 0);
  store.insert_trial(trial_row(1));
  CHECK(store.trial_count() == 1);
}

TEST_CASE("a history holds every trial, finite values only, and the objective's curve", "[store]") {
  StudyStore store = memory_study();
  for (int number = 1; number <= 5; ++number) store.insert_trial(trial_row(number));
  store.insert_metrics({metric_row(1, "validation:mAP", 2, 0.4), metric_row(1, "validation:mAP", 1, 0.3),
                        metric_row(1, "loss", 1, 9), metric_row(2, "validation:mAP", 1, kNan)});
  store.update_trial(completed(trial_row(1), 0.4));
  store.update_trial(completed(trial_row(2), kNan));
  TrialRow failed = trial_row(3);
  failed.state = TrialState::kFailed;
  failed.failure = "oom";
  store.update_trial(failed);
  TrialRow paused = trial_row(4);
  paused.state = TrialState::kPaused;
  paused.budget = 0.25;
  store.update_trial(paused);

  const History history = store.load_history();
  CHECK(history.objective.metric == "validation:mAP");
  REQUIRE(history.trials.size() == 5);
  CHECK(history.next_number() == 6);
  CHECK(history.trials[0]->values == std::vector<double>{0.4});
  REQUIRE(history.trials[0]->curve.size() == 2);
  CHECK(history.trials[0]->curve[1].value == 0.4);
  CHECK(history.trials[1]->values.empty());
  CHECK(std::isnan(history.trials[1]->curve.at(0).value));
  CHECK(history.trials[2]->failure == "oom");
  CHECK(history.trials[3]->state == TrialState::kPaused);
  CHECK(history.trials[3]->budget == 0.25);
  CHECK(history.trials[4]->state == TrialState::kQueued);
  REQUIRE(history.best() != nullptr);
  CHECK(history.best()->number == 1);
}

TEST_CASE("a step takes as long as the last attempt shows, from its start to its last point", "[store]") {
  StudyStore store = memory_study();
  store.insert_trial(trial_row(1));
  store.insert_trial(trial_row(2));
  const auto point = [](int attempt, std::int64_t step, std::int64_t second) {
    MetricRow row = metric_row(1, "validation:mAP", step, 0.1);
    row.attempt = attempt;
    row.time = at(1000 * second);
    return row;
  };
  for (const auto& [attempt, second] : {std::pair(1, 0), {2, 100}}) {
    AttemptRow row = attempt_row(1, attempt);
    row.started = at(1000 * second);
    store.insert_attempt(row);
  }
  store.insert_metrics({point(1, 1, 10), point(1, 2, 20)});
  CHECK(store.load_history().trials[0]->step_seconds == 10);
  store.insert_metrics({point(2, 3, 130), point(2, 4, 150)});
  CHECK(store.load_history().trials[0]->step_seconds == 25);
  CHECK(store.load_history().trials[1]->step_seconds == 0);
}

TEST_CASE("what a study learns from comes back in its order, with its history", "[store]") {
  StudyStore store = memory_study();
  CHECK(store.load_history().earlier == nullptr);
  const auto view = [](int number, TrialState state, std::vector<double> values) {
    auto trial = std::make_shared<TrialView>();
    trial->number = number;
    trial->parameters = {{"learning_rate", 0.1 * number}, {"optimizer", "sgd"}};
    trial->state = state;
    trial->values = std::move(values);
    if (state == TrialState::kFailed) trial->failure = "oom";
    return trial;
  };
  store.replace_earlier_trials({{"b", WarmStart::kTransfer, view(3, TrialState::kCompleted, {0.1 + 0.2})},
                                {"a", WarmStart::kIdentical, view(2, TrialState::kFailed, {})}});
  const History history = store.load_history();
  REQUIRE(history.earlier != nullptr);
  REQUIRE(history.earlier->size() == 2);
  const EarlierTrial &first = history.earlier->at(0), &second = history.earlier->at(1);
  CHECK(first.study == "b");
  CHECK(first.kind == WarmStart::kTransfer);
  CHECK(first.trial->number == 3);
  CHECK(first.trial->parameters.at("learning_rate") == 0.1 * 3);
  CHECK(first.trial->values == std::vector<double>{0.1 + 0.2});
  CHECK(second.kind == WarmStart::kIdentical);
  CHECK(second.trial->state == TrialState::kFailed);
  CHECK(second.trial->failure == "oom");
  const EarlierTrial other{"c", WarmStart::kIdentical, view(1, TrialState::kStopped, {2})};
  store.replace_earlier_trials({other});
  REQUIRE(store.earlier_trials().size() == 1);
  CHECK(store.earlier_trials().front().study == "c");
  CHECK(code_of([&] { store.replace_earlier_trials({other, other}); }) == ExitCode::kInternal);
  CHECK(store.earlier_trials().size() == 1);
}

}  // namespace
}  // namespace tune::store

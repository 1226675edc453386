// A study that is followed shows what one that is read anew shows.
#include "tuner/serve/study_table.h"

#include "support/catch.h"
#include "tuner/serve/study_views.h"
#include "tuner/serve/timeline.h"
#include "tuner/serve/trial_query.h"
#include "unit/serve/serve_fixture.h"

namespace tune::serve {
namespace {

// All that is shown of it, but for what time alone changes.
Json shown(StudyTable& table) {
  table.refresh();
  Json study = study_json(table);
  study.erase("elapsed_seconds");
  TrialQuery by_lr;
  by_lr.sort = "lr";
  by_lr.limit = 500;
  return {{"study", study},
          {"points", Json::parse(points_text(table, 0))},
          {"trials", trials_page(table, by_lr)},
          {"timeline", timeline_json(table)}};
}

TEST_CASE("what is followed is the same as what is read anew, whatever happens to a study") {
  ServedStore store(12);
  StudyTable followed(store.path(), "steel");
  const auto check = [&](const char* after) {
    INFO(after);
    StudyTable anew(store.path(), "steel");
    CHECK(shown(followed) == shown(anew));
  };
  check("the beginning");
  store.writer().insert_trial(served_trial(13));
  check("a trial was queued");
  store::AttemptRow attempt = store::attempt_row(13, 1);
  attempt.state = store::AttemptState::kRunning;
  attempt.started = attempt.created;
  store.writer().insert_attempt(attempt);
  store::TrialRow running = served_trial(13);
  running.state = TrialState::kRunning;
  running.attempts = 1;
  running.started = running.created;
  store.writer().update_trial(running);
  store.writer().append_event(store::event_row("attempt_started", 13));
  check("it began");
  store.writer().insert_metrics(
      {store::metric_row(13, "accuracy", 1, 0.3), store::metric_row(13, "loss", 1, 2)});
  check("it has points");
  store.writer().update_attempt(served_attempt(13));
  store.writer().update_trial(served_end(13));
  store.writer().append_event(store::event_row("trial_finished", 13));
  check("it ended");
  store.writer().delete_trial(4, "ada@host", store::at(99'999));
  check("another was deleted");
  store::TrialRow again = served_end(9);
  again.state = TrialState::kQueued;
  again.failure = again.reason = "";
  again.ended.reset();
  store.writer().change_finished_trial(again, store::event_row("trial_reopened"));
  store::AttemptRow second = served_attempt(9);
  second.attempt = 2;
  store.writer().insert_attempt(second);
  check("a failed one runs again");
  for (int number = 14; number <= 40; ++number) add_trial(store.writer(), number);
  check("many more came");
  store::StudyRow row = store.writer().study();
  OrderedJson document = study_document("steel");
  document["parameters"]["momentum"] = {{"type", "float"}, {"min", 0}, {"max", 1}};
  document["parameters"].erase("layers");
  row.spec_text = document.dump();
  row.spec = Json::parse(row.spec_text);
  row.facts.amendments.push_back({store::at(100'000), "ada@host", 40, {}, {"/parameters/momentum"}});
  store.writer().update_spec(row);
  store.writer().update_study(row);
  check("its space was amended");
  store.finish();
  check("it is finished");
}

TEST_CASE("changes are told once, with the trials that they are about") {
  ServedStore store(3);
  StudyTable table(store.path(), "steel");
  table.refresh();
  CHECK(table.take_changes().skipped);
  const std::uint64_t version = table.version();
  table.refresh();
  CHECK_FALSE(table.take_changes().any);
  CHECK(table.version() == version);
  add_trial(store.writer(), 4);
  table.refresh();
  const StudyChanges changes = table.take_changes();
  CHECK(changes.any);
  CHECK(changes.trials == std::set<int>{4});
  CHECK(changes.kinds == std::set<std::string>{"trial_finished"});
  CHECK(changes.last_event == store.writer().last_event());
  CHECK(table.version() > version);
}

TEST_CASE("a study that somebody works on is live, and its running trials are billed so far") {
  ServedStore store(2);
  StudyTable table(store.path(), "steel");
  table.refresh();
  CHECK_FALSE(table.is_live());
  CHECK(table.rows().study.state == store::StudyState::kInterrupted);
  {
    const FileLock lock = store.hold();
    store::AttemptRow attempt = store::attempt_row(3, 1);
    attempt.state = store::AttemptState::kRunning;
    attempt.started = SystemClock().wall_now() - std::chrono::hours(1);
    store::TrialRow running = served_trial(3);
    running.state = TrialState::kRunning;
    store.writer().insert_trial(running);
    store.writer().insert_attempt(attempt);
    table.refresh();
    CHECK(table.is_live());
    CHECK(table.rows().study.state == store::StudyState::kRunning);
    CHECK(table.rows().attempts.back().lease_seconds >= 3600);
  }
  table.refresh();
  CHECK_FALSE(table.is_live());
}

TEST_CASE("a column holds any value that trials had, in few bytes") {
  ValueColumn column("x", ParameterType::kInt);
  column.resize(3);
  column.set(0, 3);
  column.set(1, 1ll << 53);
  CHECK(column.value(1) == 1ll << 53);
  CHECK(column.value(2) == nullptr);
  CHECK(column.varies());
  column.set(2, "auto");
  CHECK(column.has_labels());
  CHECK(column.value(0) == 3);
  CHECK(column.value(2) == "auto");
  column.clear(0);
  CHECK(column.value(0) == nullptr);
}

}  // namespace
}  // namespace tune::serve

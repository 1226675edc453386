#include "tuner/cli/study_follower.h"

#include "support/catch.h"
#include "tuner/engine/loop/journal.h"
#include "unit/store/store_fixture.h"

namespace tune::cli {
namespace {

using engine::StatusEvent;
using engine::StatusKind;

class Shown final : public engine::Status {
 public:
  void on_event(const StatusEvent& event) override { events.push_back(event); }
  std::vector<StatusEvent> events;
};

struct Followed {
  Followed()
      : store(folder / "study.db", store::OpenMode::kCreate),
        journal(store, clock, silent, [] { return false; }) {
    store.create_study(store::study_row());
    for (int number = 1; number <= 2; ++number) store.insert_trial(store::trial_row(number));
    store.insert_attempt(store::attempt_row(1, 1));
    journal.notice("before");
  }
  store::TemporaryFolder folder;
  store::StudyStore store;
  ManualClock clock;
  Shown silent;
  engine::Journal journal;
};

TEST_CASE("a follower tells of events as the loop has told its own display", "[display]") {
  Followed f;
  const store::StudyStore reader(f.folder / "study.db", store::OpenMode::kRead);
  StudyFollower follower(reader, reader.last_event(), reader.attempts());
  StatusEvent ended = engine::event_of({1, 1}, StatusKind::kTrialFinished, "completed");
  ended.state = TrialState::kCompleted;
  ended.value = 0.25;
  ended.replicate_of = 2;
  StatusEvent started = engine::event_of({2, 1}, StatusKind::kAttemptStarted);
  started.devices = {"GPU-1"};
  started.parameters = {{"lr", 0.1}};
  f.journal.note(ended);
  f.journal.note(started);
  f.store.append_event(store::event_row("spec_amended"));  // no display shows it
  Shown shown;
  follower.look(shown);
  REQUIRE(shown.events.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const StatusEvent &told = shown.events[i], &own = f.silent.events[i + 1];
    CHECK(told.kind == own.kind);
    CHECK(told.id == own.id);
    CHECK(told.time == own.time);
    CHECK(told.trial == own.trial);
    CHECK(told.attempt == own.attempt);
    CHECK(told.state == own.state);
    CHECK(told.value == own.value);
    CHECK(told.devices == own.devices);
    CHECK(told.parameters == own.parameters);
    CHECK(told.message == own.message);
    CHECK(told.replicate_of == own.replicate_of);
  }
  follower.look(shown);
  CHECK(shown.events.size() == 2);
}

TEST_CASE("a follower tells of each running trial's newest value, and of the limits in force", "[display]") {
  Followed f;
  const store::StudyStore reader(f.folder / "study.db", store::OpenMode::kRead);
  StudyFollower follower(reader, reader.last_event(), reader.attempts());
  f.store.insert_metrics({store::metric_row(1, "validation:mAP", 1, 0.1),
                          store::metric_row(1, "validation:mAP", 2, 0.2), store::metric_row(1, "loss", 3, 9),
                          store::metric_row(2, "validation:mAP", 5, 0.9)});
  Shown shown;
  follower.look(shown);
  follower.look(shown);
  REQUIRE(shown.events.size() == 1);
  CHECK(shown.events[0].kind == StatusKind::kMetric);
  CHECK(shown.events[0].trial == 1);
  CHECK(shown.events[0].point.step == 2);
  CHECK(shown.events[0].point.value == 0.2);
  store::StudyRow row = f.store.study();
  row.limits = {{"trials", 20}};
  f.store.update_study(row);
  StatusEvent request;
  request.kind = StatusKind::kRequest;
  request.message = "limits.trials: 8 -> 20";
  f.journal.note(request);
  follower.look(shown);
  REQUIRE(shown.events.size() == 2);
  CHECK(shown.events[1].limits == Json{{"trials", 20}});
}

TEST_CASE("a follower tells that a trial waits where its attempt has ended with a pause", "[display]") {
  Followed f;
  const store::StudyStore reader(f.folder / "study.db", store::OpenMode::kRead);
  StudyFollower follower(reader, reader.last_event(), reader.attempts());
  store::TrialRow trial = store::trial_row(1);
  trial.state = TrialState::kPaused;
  f.store.update_trial(trial);
  f.journal.note(engine::event_of({1, 1}, StatusKind::kAttemptRequeued, "waits"));
  Shown shown;
  follower.look(shown);
  REQUIRE(shown.events.size() == 1);
  CHECK(shown.events[0].state == TrialState::kPaused);
}

}  // namespace
}  // namespace tune::cli

// Trials that were deleted, and trials that repeat others, in the store.
#include "store/study_store.h"

#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::store {
namespace {

StudyStore study_with(int completed_trials) {
  StudyStore store(":memory:", OpenMode::kCreate);
  store.create_study(study_row());
  for (int number = 1; number <= completed_trials; ++number) {
    store.insert_trial(trial_row(number));
    store.insert_attempt(attempt_row(number, 1));
    store.insert_metrics({metric_row(number, "validation:mAP", 1, 0.1 * number),
                          metric_row(number, "seconds:validation", 1, 2.5)});
    store.update_trial(completed(trial_row(number), 0.1 * number));
  }
  return store;
}

TEST_CASE("a deleted trial leaves a row that says who and when, and an event with what it was", "[store]") {
  StudyStore store = study_with(3);
  store.delete_trial(2, "ada@host", at(500));
  const TrialRow row = *store.trial(2);
  CHECK(row.state == TrialState::kStopped);
  CHECK(row.values.empty());
  CHECK(row.reason == "deleted by ada@host");
  REQUIRE(row.facts.deleted.has_value());
  CHECK(*row.facts.deleted == Deletion{"ada@host", at(500)});
  CHECK(store.trial_count() == 3);
  CHECK(store.metrics(2).empty());
  CHECK(store.metrics(3).size() == 2);
  // What it took was taken.
  CHECK(store.attempts(2).size() == 1);
  CHECK(store.metric_sums("seconds:validation").at({2, 1}) == 2.5);
  EventRow event;
  for (const EventRow& each : store.events())
    if (each.kind == "trial_deleted") event = each;
  CHECK(event.trial == 2);
  CHECK(event.data.at("who") == "ada@host");
  CHECK(event.data.at("before").at("state") == "completed");
  CHECK(event.data.at("before").at("values") == Json({0.2}));
}

TEST_CASE("a deleted trial teaches nothing, is deleted once, and changes no more", "[store]") {
  StudyStore store = study_with(3);
  store.delete_trial(3, "ada@host", at(500));
  const History history = store.load_history();
  REQUIRE(history.trials.size() == 3);
  CHECK(history.trials[2]->role == SearchRole::kNothing);
  CHECK(history.trials[2]->curve.empty());
  CHECK(history.trials[0]->role == SearchRole::kPoint);
  CHECK(history.best()->number == 2);
  CHECK(code_of([&] { store.delete_trial(3, "ada@host", at(501)); }) == ExitCode::kInternal);
  TrialRow row = *store.trial(3);
  row.values = {0.9};
  CHECK(code_of([&] { store.update_trial(row); }) == ExitCode::kInternal);
}

TEST_CASE("a queued trial is deleted too", "[store]") {
  StudyStore store = study_with(1);
  store.insert_trial(trial_row(2));
  store.delete_trial(2, "ada@host", at(500));
  CHECK(store.trial(2)->state == TrialState::kStopped);
  CHECK(store.trial(2)->ended == at(500));
}

TEST_CASE("a trial that repeats another is known as such in a history", "[store]") {
  StudyStore store = study_with(1);
  TrialRow row = trial_row(2);
  row.facts.rerun_of = 1;
  store.insert_trial(row);
  store.insert_trial(trial_row(3));
  CHECK(store.load_history().trials[1]->role == SearchRole::kRepeat);
  CHECK(store.load_history().trials[2]->place() == 2);
  CHECK_FALSE(is_bound_to_space({}, row));
}

TEST_CASE("trials from before an amendment need be no points of the space", "[store]") {
  StudyFacts facts;
  CHECK(is_bound_to_space(facts, trial_row(3)));
  facts.amendments = {{at(1), "ada@host", 3, {{"momentum", 0.9}}, {"/parameters/lr/max: 1 -> 2"}}};
  CHECK_FALSE(is_bound_to_space(facts, trial_row(3)));
  CHECK(is_bound_to_space(facts, trial_row(4)));
  CHECK(assumed_values(facts).at("momentum") == 0.9);
  const Json json = facts;
  CHECK(json == Json(json.get<StudyFacts>()));
  CHECK(json.get<StudyFacts>().amendments.at(0).changes == facts.amendments[0].changes);
}

}  // namespace
}  // namespace tune::store

#include "tuner/report/text/console_state.h"

#include "support/catch.h"
#include "unit/report/priced_study.h"

namespace tune::report {
namespace {

StudyRows study_in(store::StudyState state, const std::string& reason = {}) {
  StudyRows rows = priced_study();
  rows.study.state = state;
  rows.study.finish_reason = reason;
  return rows;
}

Deployment deployed(int trial, const std::string& state) {
  return {"steel-legacy", trial, "steel", 1, state};
}

TEST_CASE("a study has the consoles' word for where it stands", "[report]") {
  StudyRows running = study_in(store::StudyState::kRunning);
  CHECK(console_state(running) == "training");
  running.is_stopping = true;
  CHECK(console_state(running) == "stopping");
  CHECK(console_state(study_in(store::StudyState::kInterrupted, "interrupted")) == "stopped");
  CHECK(console_state(study_in(store::StudyState::kInterrupted, "paused: no disk")) == "training failed");
  StudyRows ended = study_in(store::StudyState::kFinished, "trial limit");
  CHECK(console_state(ended) == "completed");
  for (store::TrialRow& trial : ended.trials) trial.state = TrialState::kFailed;
  CHECK(console_state(ended) == "training failed");
}

TEST_CASE("what a version was made of has the word of its endpoint", "[report]") {
  StudyRows rows = study_in(store::StudyState::kFinished, "trial limit");
  rows.deployments = {deployed(2, kNotDeployed)};
  CHECK(console_state(rows) == "not deployed");
  rows.deployments.push_back(deployed(1, "deploying"));
  CHECK(console_state(rows) == "deploying");
  rows.deployments.push_back(deployed(1, "deployed"));
  CHECK(console_state(rows) == "deployed");
  CHECK(console_state(rows, rows.trials[0]) == "deployed");
  CHECK(console_state(rows, rows.trials[1]) == "not deployed");
  rows.deployments = {{"another", 1, "steel", 1, "deployed"}};
  CHECK(console_state(rows) == "completed");
}

TEST_CASE("a trial has the consoles' word for where it stands", "[report]") {
  StudyRows rows = study_in(store::StudyState::kRunning);
  store::TrialRow trial = store::trial_row(5);
  CHECK(console_state(rows, trial) == "queued");
  trial.state = TrialState::kRunning;
  CHECK(console_state(rows, trial) == "training");
  rows.study.facts.stop_requests = {5};
  CHECK(console_state(rows, trial) == "stopping");
  rows.study.state = store::StudyState::kInterrupted;  // it died with its study
  CHECK(console_state(rows, trial) == "stopped");
  CHECK(console_state(rows, rows.trials[0]) == "completed");
  CHECK(console_state(rows, rows.trials[2]) == "stopped");
  CHECK(console_state(rows, rows.trials[3]) == "training failed");
}

}  // namespace
}  // namespace tune::report

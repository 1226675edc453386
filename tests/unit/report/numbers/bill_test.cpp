// What a study's device time went into.
#include "tuner/report/numbers/bill.h"

#include "support/catch.h"
#include "tuner/core/slurm_boot.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/study_summary.h"
#include "tuner/report/text/trial_report.h"
#include "unit/store/store_fixture.h"

namespace tune::report {
namespace {

using store::at;

// A lease from one second to another.
store::AttemptRow lease(int trial, int attempt, double from, double to,
                        std::vector<std::string> devices = {}) {
  store::AttemptRow row = store::attempt_row(trial, attempt);
  row.state = store::AttemptState::kExited;
  row.started = at(static_cast<std::int64_t>(from * 1000));
  row.ended = at(static_cast<std::int64_t>(to * 1000));
  row.lease_seconds = to - from;
  row.devices = std::move(devices);
  return row;
}

store::RunningTime ran(std::int64_t from, std::int64_t to) { return {at(from * 1000), at(to * 1000)}; }

TEST_CASE("a device of the study is idle while none of its attempts holds it", "[bill]") {
  // A: leased 0-10 and 12-20, B: 5-8. The study ran 0-20.
  const std::vector<store::AttemptRow> attempts = {lease(1, 1, 0, 10, {"A"}), lease(2, 1, 12, 20, {"A"}),
                                                   lease(3, 1, 5, 8, {"B"})};
  CHECK(idle_seconds({ran(0, 20)}, attempts) == Approx(2 + 17));
  CHECK(idle_seconds({ran(-3, 21)}, attempts) == Approx(2 + 17 + 2 * 4));
  // A shared device is no more idle than it is.
  CHECK(idle_seconds({ran(0, 10)}, {lease(1, 1, 0, 10, {"A"}), lease(2, 1, 2, 4, {"A"})}) == 0);
  CHECK(idle_seconds({ran(0, 10)}, {}) == 0);
  CHECK(idle_seconds({}, attempts) == 0);
}

TEST_CASE("between two runs of a study nothing is idle, and each run has its own devices", "[bill]") {
  const std::vector<store::AttemptRow> attempts = {lease(1, 1, 0, 10, {"A"}), lease(1, 2, 102, 110, {"B"})};
  CHECK(idle_seconds({ran(0, 10), ran(100, 110)}, attempts) == Approx(2));
  // Killed before it could say more than that it had started.
  CHECK(idle_seconds({ran(0, 0), ran(100, 100)}, attempts) == Approx(2));
}

TEST_CASE("slots of the CPU are as many as there were attempts at once", "[bill]") {
  const std::vector<store::AttemptRow> attempts = {lease(1, 1, 0, 10), lease(2, 1, 0, 4), lease(3, 1, 4, 9)};
  CHECK(idle_seconds({ran(0, 10)}, attempts) == Approx(1));
}

TEST_CASE("what a cluster has beside the jobs of a study is not idle", "[bill]") {
  std::vector<store::AttemptRow> attempts = {lease(1, 1, 0, 10, {"n1:gpu0"}),
                                             lease(2, 1, 12, 20, {"n1:gpu0"}), lease(3, 1, 5, 8)};
  for (store::AttemptRow& attempt : attempts) attempt.boot_id = kSlurmBoot;
  CHECK(idle_seconds({ran(0, 20)}, attempts) == 0);
  // The same study may have run on this machine before.
  attempts.push_back(lease(4, 1, 0, 5, {"A"}));
  CHECK(idle_seconds({ran(0, 20)}, attempts) == Approx(15));
}

StudyRows small_study() {
  StudyRows rows;
  rows.study = store::study_row();
  rows.study.spec["cost"]["usd_per_hour"] = 3.6;
  store::Probe& own = rows.study.facts.probes["here: H200"];
  own.lease_seconds = 5;
  own.leased_devices = 2;
  rows.study.facts.probes["a comparison's"].precision = "fp32";
  rows.trials = {store::completed(store::trial_row(1), 0.5), store::completed(store::trial_row(2), 0.25)};
  rows.attempts = {lease(1, 1, 0, 10, {"A"}), lease(1, 2, 10, 30, {"A"}), lease(2, 1, 10, 30, {"A"})};
  rows.running_times = {ran(0, 40)};
  rows.validation_seconds = {{{1, 2}, 6}, {{2, 1}, 1e9}, {{7, 1}, 3}};
  return rows;
}

TEST_CASE("the parts of a bill: shared, validating, probing and idle, each at the price", "[bill]") {
  const StudyBill bill = study_bill(small_study());
  const auto seconds = [](const Cost& cost) { return cost.device_hours * 3600; };
  CHECK(seconds(bill.total) == Approx(30));
  CHECK(seconds(bill.completed) == Approx(30));
  CHECK(seconds(bill.retried) == Approx(10));
  // 6 of the 20 seconds of half a device, and for the one that claims more no more than its lease.
  CHECK(seconds(bill.validating) == Approx(3 + 10));
  CHECK(bill.validating.lease_seconds == Approx(6 + 20));
  CHECK(seconds(bill.probing) == Approx(10));
  CHECK(seconds(bill.idle) == Approx(10));
  CHECK(*bill.idle.usd == Approx(0.01));
  const std::string text = run_summary(small_study(), std::nullopt, 0);
  CAPTURE(text);
  for (const char* line :
       {"of these, attempts that were run again: device time 10s, $0.01",
        "of these, validating: device time 13s, $0.0130", "beside these, probing: device time 10s, $0.01",
        "beside these, idle: device time 10s, $0.01"})
    CHECK(text.find(line) != std::string::npos);
  const Json cost = status_json(small_study()).at("cost");
  CHECK(cost.at("validating").at("device_hours").get<double>() == Approx(13.0 / 3600));
  CHECK(cost.at("idle").at("lease_seconds").get<double>() == Approx(10));
}

TEST_CASE("what deleted trials took stays in the bill, as a part of its own", "[bill]") {
  StudyRows rows = small_study();
  const double total = study_bill(rows).total.device_hours;
  rows.trials[1].state = TrialState::kStopped;
  rows.trials[1].values.clear();
  rows.trials[1].facts.deleted = store::Deletion{"ada@host", at(1)};
  const StudyBill bill = study_bill(rows);
  CHECK(bill.total.device_hours == total);
  CHECK(bill.stopped.device_hours == 0);
  CHECK(bill.deleted.device_hours > 0);
  CHECK(bill.completed.device_hours + bill.deleted.device_hours == Approx(total));
  CHECK(run_summary(rows, std::nullopt, 0).find("  deleted trials: device time 10s") != std::string::npos);
  CHECK(status_json(rows).at("cost").at("deleted").at("device_hours") == bill.deleted.device_hours);
  CHECK(status_text(rows, 0).find(": 1 completed, 1 deleted,") != std::string::npos);
  CHECK(status_json(rows).at("counts").at("stopped") == 0);
  CHECK(status_json(rows).at("counts").at("deleted") == 1);
}

TEST_CASE(
    "an attempt that was paused is no attempt that was run again, and its trial has a line of its own") {
  StudyRows rows = small_study();
  rows.attempts[0].stop = StopReason::kPause;
  CHECK(study_bill(rows).retried.device_hours == 0);
  CHECK(study_bill(rows).completed.device_hours * 3600 == Approx(30));
  // The second attempt was lost, and the third one repeats it.
  rows.attempts.push_back(lease(1, 3, 30, 35, {"A"}));
  CHECK(study_bill(rows).retried.device_hours * 3600 == Approx(10));
  rows.trials[0].state = TrialState::kPaused;
  rows.trials[1].state = TrialState::kRunning;
  const std::string text = run_summary(rows, std::nullopt, 0);
  CAPTURE(text);
  CHECK(text.find("  paused trials: device time 25s") != std::string::npos);
  CHECK(text.find("  open trials: device time 10s") != std::string::npos);
  const Json cost = status_json(rows).at("cost");
  CHECK(cost.at("paused").at("device_hours").get<double>() == Approx(25.0 / 3600));
  CHECK(cost.at("open").at("device_hours").get<double>() == Approx(10.0 / 3600));
}

TEST_CASE("times of a bill are rounded, not cut") {
  CHECK(seconds_text(22.5) == "23s");
  CHECK(seconds_text(22.4) == "22s");
  CHECK(seconds_text(0.25) == "250ms");
  CHECK(seconds_text(59.6) == "1m 00s");
  CHECK(seconds_text(3599.6) == "1h 00m");
  CHECK(seconds_text(2 * 3600 + 45) == "2h 01m");
  CHECK(seconds_text(86400 + 3600 * 1.5) == "1d 2h");
  CHECK(hours_text(3599.6 / 3600) == "1.00 h");
}

TEST_CASE("studies that share a GPU share its bill, and neither is idle while the other has it") {
  StudyRows rows = small_study();
  const double alone = study_bill(rows).total.device_hours;
  // Another study has A with it from 0 to 10, and alone from 30 to 35.
  rows.neighbours = {lease(1, 1, 0, 10, {"A"}), lease(2, 1, 30, 35, {"A"}), lease(3, 1, 0, 40, {"B"})};
  const StudyBill bill = study_bill(rows);
  CHECK((alone - bill.total.device_hours) * 3600 == Approx(5));
  CHECK(bill.retried.device_hours * 3600 == Approx(5));
  CHECK(bill.idle.device_hours * 3600 == Approx(10 - 5));
  TrialRows trial;
  trial.study = rows.study;
  trial.trial = rows.trials[0];
  trial.attempts = {rows.attempts[0]};
  trial.neighbours = rows.neighbours;
  CHECK(trial_text(trial, 0).find("Total: device time 5s") != std::string::npos);
}

TEST_CASE("a trial is shown at its share, and without what it says for the bill alone", "[bill]") {
  StudyRows rows = small_study();
  TrialRows trial;
  trial.study = rows.study;
  trial.trial = rows.trials[1];
  trial.attempts = {rows.attempts[2]};
  trial.others = {rows.attempts[0], rows.attempts[1]};
  trial.metrics = {{2, 1, "loss", {1, 0.5}, at(0)}, {2, 1, "seconds:validation", {1, 2.5}, at(0)}};
  const std::string text = trial_text(trial, 0);
  CAPTURE(text);
  CHECK(text.find("Total: device time 10s, $0.01") != std::string::npos);
  CHECK(text.find("loss") != std::string::npos);
  CHECK(text.find("seconds:validation") == std::string::npos);
  CHECK(trial_details_json(trial).at("metrics").contains("seconds:validation"));
}

}  // namespace
}  // namespace tune::report

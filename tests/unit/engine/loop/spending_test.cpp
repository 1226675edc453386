#include "tuner/engine/loop/spending.h"

#include "tuner/billing/device_shares.h"
#include "tuner/core/rng.h"
#include "unit/engine/loop/loop_fixture.h"
#include "unit/lease_rows.h"

namespace tune::tests {
namespace {

using engine::DeviceBudget;
using engine::Spending;

// An attempt that runs, with the lease that it has had so far.
store::AttemptRow running(double seconds, std::vector<std::string> devices = {}) {
  store::AttemptRow row = lease(9, 1, seconds, std::move(devices));
  row.ended.reset();
  return row;
}

TEST_CASE("dollars and device hours are one budget, the smaller of both") {
  Limits limits;
  CHECK_FALSE(engine::device_budget(limits, 3.6).has_value());
  limits.gpu_hours = 2;
  CHECK(engine::device_budget(limits, std::nullopt)->seconds == 7200);
  limits.cost_usd = 3.6;
  CHECK(engine::device_budget(limits, 3.6)->seconds == Approx(3600));
  CHECK(engine::device_budget(limits, 3.6)->reason == store::StudyEnd::kCostLimit);
  CHECK(engine::device_budget(limits, 1)->reason == store::StudyEnd::kDeviceTimeLimit);
  CHECK(engine::device_budget(limits, 0)->seconds == 7200);
}

TEST_CASE("every attempt that has ended counts with all its devices, one that runs by what it has taken") {
  const std::vector<store::TrialRow> trials = {trial_in(1, TrialState::kFailed),
                                               trial_in(2, TrialState::kRunning)};
  std::vector<store::AttemptRow> attempts = {lease(1, 1, 10), lease(1, 2, 20, {"GPU-1", "GPU-2"}),
                                             lease(2, 1, 999)};
  attempts[2].ended.reset();
  Spending spending(DeviceBudget{60, store::StudyEnd::kDeviceTimeLimit}, trials, attempts);
  CHECK_FALSE(spending.is_spent({running(9.5)}));
  CHECK(spending.is_spent({running(10)}));
  CHECK(spending.has_room({running(9.5)}));  // nothing has completed: nothing is known
  CHECK_FALSE(spending.has_room({running(10)}));
}

TEST_CASE("there is room for a trial of the usual length beside those that run, or there is none") {
  Spending spending(DeviceBudget{100, store::StudyEnd::kCostLimit}, {}, {});
  spending.on_end(lease(1, 1, 5), TrialState::kQueued);  // it runs again, and its trial takes both
  spending.on_end(lease(1, 2, 15), TrialState::kCompleted);
  spending.on_end(lease(2, 1, 30), TrialState::kCompleted);
  spending.on_end(lease(3, 1, 1), TrialState::kStopped);
  // 51 are spent, and a trial takes 25.
  CHECK(spending.has_room({}));
  CHECK_FALSE(spending.has_room({running(3)}));
  CHECK_FALSE(spending.has_room({running(40)}));
  CHECK_FALSE(spending.is_spent({running(40)}));
  CHECK(spending.reason() == store::StudyEnd::kCostLimit);
  CHECK(Spending(std::nullopt, {}, {}).has_room({running(1e12)}));
}

TEST_CASE("trials that share a device share what they take of the budget") {
  const std::vector<store::TrialRow> trials = {trial_in(1, TrialState::kCompleted),
                                               trial_in(2, TrialState::kCompleted)};
  const std::vector<store::AttemptRow> attempts = {lease(1, 1, 20, {"GPU-1"}), lease(2, 1, 20, {"GPU-1"})};
  const auto spending = [&] {
    return Spending(DeviceBudget{30, store::StudyEnd::kDeviceTimeLimit}, trials, attempts);
  };
  CHECK(spending().has_room({}));  // 20 are spent, and a trial takes 10
  CHECK_FALSE(spending().is_spent({running(29, {"GPU-1"})}));
  CHECK(spending().is_spent({running(30.001, {"GPU-1"})}));
  CHECK_FALSE(spending().has_room({running(5, {"GPU-2"})}));
}

// Attempt 1 of a trial, from one second to another; without an end it runs, and `to` is now.
store::AttemptRow between(int trial, double from, double to, bool has_ended, const char* device = "GPU-1") {
  store::AttemptRow row = lease(trial, 1, to - from, {device});
  row.started = WallTime(Milliseconds(static_cast<std::int64_t>(from * 1000)));
  row.ended.reset();
  if (has_ended) row.ended = WallTime(Milliseconds(static_cast<std::int64_t>(to * 1000)));
  return row;
}

TEST_CASE("a look at the bill goes through what runs and what is new, however much has ended") {
  Spending spending(DeviceBudget{1e9, store::StudyEnd::kDeviceTimeLimit}, {}, {});
  std::vector<store::AttemptRow> all;
  // One long trial beside many short ones on one device.
  constexpr int kShort = 2000;
  std::size_t most = 0;
  for (int i = 0; i < kShort; ++i) {
    all.push_back(between(i + 2, i, i + 0.75, true));
    spending.on_end(all.back(), TrialState::kCompleted);
    most = std::max(most, spending.undecided({}).size());
    CHECK(spending.has_room({between(1, 0, i + 0.8, false)}));
  }
  CHECK(most == 1);
  CHECK(spending.undecided({}).empty());
  // And it is the same bill as if it were added up from the beginning: the long one takes half of the time
  // that the short ones have.
  all.push_back(between(1, 0, kShort, true));
  double whole = 0;
  for (const double share : billing::device_shares(all)) whole += share;
  CHECK(whole == Approx(kShort));
  spending.on_end(all.back(), TrialState::kCompleted);
  Spending budgeted(DeviceBudget{whole + 1e-6, store::StudyEnd::kDeviceTimeLimit}, {}, {});
  Spending spent(DeviceBudget{whole - 1e-6, store::StudyEnd::kDeviceTimeLimit}, {}, {});
  for (Spending* one : {&budgeted, &spent})
    for (const store::AttemptRow& row : all) {
      const bool is_last = &row == &all.back();
      one->on_end(row, TrialState::kStopped);
      const bool over = one->is_spent(is_last ? std::vector<store::AttemptRow>()
                                              : std::vector{between(1, 0, row.trial - 2 + 0.8, false)});
      if (is_last) CHECK(over == (one == &spent));
    }
}

TEST_CASE("whatever overlaps whatever, a budget counts what the bill does at every step") {
  Rng rng(11);
  const auto draw = [&](int most) { return static_cast<int>(rng.uniform() * most); };
  for (int round = 0; round < 50; ++round) {
    struct Planned {
      int trial;
      double begin, end;
      const char* device;
    };
    std::vector<Planned> planned;
    for (int trial = 1; trial <= 12; ++trial) {
      const int begin = draw(40);
      planned.push_back({trial, begin + 0.0, begin + 1.0 + draw(15), draw(2) == 0 ? "GPU-1" : "GPU-2"});
    }
    Spending spending(DeviceBudget{1e9, store::StudyEnd::kDeviceTimeLimit}, {}, {});
    for (double now = 0.5; now < 60; ++now) {
      std::vector<store::AttemptRow> ended, running;
      for (const Planned& one : planned) {
        if (one.end < now) ended.push_back(between(one.trial, one.begin, one.end, true, one.device));
        if (one.begin < now && one.end > now)
          running.push_back(between(one.trial, one.begin, now, false, one.device));
        if (one.end > now - 1 && one.end < now)
          spending.on_end(between(one.trial, one.begin, one.end, true, one.device), TrialState::kStopped);
      }
      std::vector<store::AttemptRow> all = ended;
      all.insert(all.end(), running.begin(), running.end());
      double bill = 0;
      for (const double share : billing::device_shares(all)) bill += share;
      CHECK(spending.taken_in_all(running) == Approx(bill).margin(1e-6));
    }
  }
}

TEST_CASE("what another study has of a shared device is not on this one's budget") {
  Spending spending(DeviceBudget{15, store::StudyEnd::kDeviceTimeLimit}, {}, {});
  const auto mine = between(1, 0, 20, true);
  CHECK(spending.is_spent({between(1, 0, 15, false)}));
  spending.see_others({between(7, 0, 15, false)});
  CHECK(spending.taken_in_all({between(1, 0, 15, false)}) == Approx(7.5));
  spending.on_end(mine, TrialState::kCompleted);
  // Not before they were looked at again.
  CHECK(spending.undecided({}).size() == 1);
  CHECK(spending.taken_in_all({}) == Approx(12.5));
  spending.see_others({between(7, 0, 22, false)});
  CHECK(spending.taken_in_all({}) == Approx(10));
  CHECK(spending.undecided({}).empty());
  CHECK_FALSE(spending.is_spent({}));
}

Spec budgeted(double device_seconds) {
  Spec spec = small_spec();
  spec.limits.trials.reset();
  spec.limits.gpu_hours = device_seconds / 3600;
  return spec;
}

Behaviour one_second(const engine::Attempt&) {
  Behaviour behaviour = prints(1);
  behaviour.lasts = Milliseconds(1000);
  return behaviour;
}

double spent(const store::StudyStore& store) {
  double seconds = 0;
  for (const double share : billing::device_shares(store.attempts())) seconds += share;
  return seconds;
}

TEST_CASE("a study with a budget of device time starts what fits, and keeps it") {
  LoopFixture f(budgeted(10.5));
  f.use(2, one_second);
  const auto result = f.run();
  CHECK(result.reason == "device time limit");
  CHECK(result.completed == 10);
  CHECK(result.stopped == 0);
  CHECK(spent(f.store) <= 10.5);
  CHECK(f.store.study().finish_reason == "device time limit");
}

TEST_CASE("a study whose budget was raised goes on from what it has spent") {
  LoopFixture f(budgeted(4.5));
  f.use(1, one_second);
  CHECK(f.run().completed == 4);
  f.spec.limits.gpu_hours = 7.5 / 3600;
  f.use(1, one_second);
  const auto result = f.run();
  CHECK(result.completed == 7);
  CHECK(spent(f.store) <= 7.5);
}

TEST_CASE("a study whose GPU another study of the store shares gets twice as far with its budget") {
  Spec spec = budgeted(10.2);
  spec.document["resources"]["trials_per_gpu"] = 2;
  LoopFixture f(spec);
  f.use(1, one_second);
  f.runner->devices = {"GPU-1"};
  std::filesystem::create_directories(f.folder.path() / "small");
  std::filesystem::create_directories(f.folder.path() / "neighbour");
  {
    store::StudyStore neighbour(f.folder.path() / "neighbour/study.db", store::OpenMode::kCreate);
    store::StudyRow row = f.store.study();
    row.name = "neighbour";
    row.updated = f.clock.wall_now() + std::chrono::hours(1);
    neighbour.create_study(row);
    store::TrialRow trial;
    trial.number = 1;
    neighbour.insert_trial(trial);
    store::AttemptRow attempt = lease(1, 1, 0, {"GPU-1"});
    attempt.state = store::AttemptState::kRunning;
    attempt.created = *(attempt.started = f.clock.wall_now() - std::chrono::hours(1));
    attempt.ended.reset();
    neighbour.insert_attempt(attempt);
  }
  engine::StudyLoop loop({f.spec, f.folder.path() / "small", f.store, *f.strategy, *f.rule, *f.runner,
                          f.clock, f.status, f.interruption, f.patience});
  const auto result = loop.run();
  CHECK(result.reason == "device time limit");
  CHECK(result.completed == 20);
  CHECK(result.stopped == 0);
}

TEST_CASE("what runs when the budget is spent is stopped, and keeps its value") {
  Spec spec = budgeted(0);
  spec.limits.gpu_hours.reset();
  spec.limits.cost_usd = 0.02;
  spec.usd_per_hour = 7.2;  // ten seconds of one device
  LoopFixture f(spec);
  f.use(2, [](const engine::Attempt&) {
    Behaviour behaviour = prints(0.5);
    behaviour.hangs = true;
    return behaviour;
  });
  const auto result = f.run();
  CHECK(result.reason == "cost limit");
  CHECK(result.stopped == 2);
  CHECK(f.store.trial(1)->reason == "cost limit");
  CHECK(f.store.trial(1)->values == std::vector<double>{0.5});
  CHECK(spent(f.store) >= 10);
  CHECK(spent(f.store) < 12);
}

TEST_CASE("failed trials spend the budget too, and a trial to be run again is given up with it") {
  LoopFixture f(budgeted(3.5));
  f.spec.limits.parallel = 1;
  f.use(1, [](const engine::Attempt& attempt) {
    Behaviour behaviour = one_second(attempt);
    behaviour.without_report = attempt.id.trial > 1;  // lost, so it runs again
    return behaviour;
  });
  const auto result = f.run();
  CHECK(result.reason == "device time limit");
  CHECK(result.completed == 1);
  CHECK(f.store.trial(2)->reason == "device time limit");
  CHECK(f.store.trial(2)->state == TrialState::kStopped);
  CHECK(spent(f.store) <= 3.5 + 0.1);
}

}  // namespace
}  // namespace tune::tests

// Who else of a store is on the same GPUs.
#include "tuner/billing/neighbours.h"

#include <fstream>

#include "support/catch.h"
#include "tuner/billing/device_shares.h"
#include "unit/store/store_fixture.h"

namespace tune::billing {
namespace {

using store::at;

store::AttemptRow lease(int trial, double from, std::optional<double> to, std::vector<std::string> devices) {
  store::AttemptRow row = store::attempt_row(trial, 1);
  row.state = to ? store::AttemptState::kExited : store::AttemptState::kRunning;
  row.started = at(static_cast<std::int64_t>(from * 1000));
  row.devices = std::move(devices);
  if (!to) return row;
  row.ended = at(static_cast<std::int64_t>(*to * 1000));
  row.lease_seconds = *to - from;
  return row;
}

// A study of the store with these attempts, a trial each.
void make_study(const store::TemporaryFolder& folder, const std::string& name, int trials_per_gpu,
                std::vector<store::AttemptRow> attempts,
                store::StudyState state = store::StudyState::kFinished, double updated = 0) {
  std::filesystem::create_directories(folder / name);
  store::StudyStore store(folder / (name + "/study.db"), store::OpenMode::kCreate);
  store::StudyRow row = store::study_row();
  row.name = name;
  row.state = state;
  row.spec["resources"]["trials_per_gpu"] = trials_per_gpu;
  row.updated = at(static_cast<std::int64_t>(updated * 1000));
  store.create_study(row);
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    store.insert_trial(store::trial_row(static_cast<int>(i) + 1));
    store.insert_attempt(attempts[i]);
  }
}

const std::vector<store::AttemptRow> kOwn{lease(1, 10, 20, {"A"})};

TEST_CASE("attempts of other studies on the same device at the same time are neighbours, no others",
          "[neighbours]") {
  const store::TemporaryFolder folder;
  make_study(folder, "own", 2, {lease(1, 0, 30, {"A"})});
  make_study(folder, "beside", 2,
             {lease(1, 5, 15, {"A"}), lease(2, 0, 9, {"A"}), lease(3, 20, 30, {"A"}), lease(4, 0, 30, {"B"}),
              lease(5, 0, 30, {})});
  make_study(folder, "alone", 1, {lease(1, 0, 30, {"A"})});
  std::filesystem::create_directories(folder / "damaged");
  std::ofstream(folder / "damaged/study.db") << "no database";
  const std::vector<store::AttemptRow> beside = attempts_beside(folder / "", "own", kOwn, at(1'000'000));
  REQUIRE(beside.size() == 1);
  CHECK(lease_time(beside[0]).end == at(15'000).time_since_epoch());
  CHECK(device_shares(kOwn, beside)[0] == Approx(10 - 2.5));
  CHECK(attempts_beside(folder / "", "own", {lease(1, 10, 20, {})}, at(0)).empty());
}

TEST_CASE("a neighbour that runs is there until now, one whose tune has died until it was last seen",
          "[neighbours]") {
  const store::TemporaryFolder folder;
  make_study(folder, "alive", 2, {lease(1, 5, std::nullopt, {"A"})}, store::StudyState::kRunning, 14);
  make_study(folder, "dead", 2, {lease(1, 8, std::nullopt, {"A"})}, store::StudyState::kRunning, 12);
  std::map<double, int> ends;
  const auto seen_at = [&](double now) {
    std::map<double, int> seconds;
    for (const store::AttemptRow& row :
         attempts_beside(folder / "", "own", kOwn, at(static_cast<std::int64_t>(now * 1000))))
      ++seconds[row.lease_seconds];
    return seconds;
  };
  CHECK(seen_at(18) == std::map<double, int>{{18 - 5, 1}, {18 - 8, 1}});
  CHECK(seen_at(28) == std::map<double, int>{{28 - 5, 1}, {12 - 8, 1}});
}

TEST_CASE("a study shares GPUs with others where its spec puts several trials on one", "[neighbours]") {
  store::StudyRow row = store::study_row();
  CHECK_FALSE(may_share_gpus(row));
  row.spec["resources"]["trials_per_gpu"] = 1;
  CHECK_FALSE(may_share_gpus(row));
  row.spec["resources"]["trials_per_gpu"] = 3;
  CHECK(may_share_gpus(row));
}

}  // namespace
}  // namespace tune::billing

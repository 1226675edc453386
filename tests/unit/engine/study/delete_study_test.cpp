#include "tuner/engine/study/delete_study.h"

#include <fstream>

#include "support/without_rights.h"
#include "tuner/core/store_layout.h"
#include "tuner/os/file_lock.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using namespace engine;
namespace fs = std::filesystem;

struct Ended {
  std::vector<double> values;
  std::optional<int> replicate_of = {};
};

// A finished study "s" on disk, to maximize accuracy, which has promoted a trial; with two values a trial to
// minimize latency too.
struct PromotedStudy {
  PromotedStudy(const std::vector<Ended>& trials, int promoted) {
    fs::create_directories(folder.path() / "s");
    store::StudyStore store = open(store::OpenMode::kCreate);
    store::StudyRow row;
    row.name = "s";
    row.spec = Json::parse(R"({"objective": {"metric": "accuracy", "goal": "maximize"}})");
    if (trials.front().values.size() == 2)
      row.spec = Json::parse(R"({"objectives": [{"metric": "accuracy", "goal": "maximize"},
                                                {"metric": "latency", "goal": "minimize"}],
                                 "promote": {"model": "m", "prefer": {"best": "latency"}}})");
    row.folder = "/";
    row.objective = {"accuracy", Goal::kMaximize, Reduce::kBest};
    row.state = store::StudyState::kFinished;
    row.facts.promotion = store::PromotionDecision{"m", true, promoted, 1, "first version", {}};
    store.create_study(row);
    for (std::size_t i = 0; i < trials.size(); ++i) {
      store::TrialRow trial;
      trial.number = static_cast<int>(i) + 1;
      trial.parameters = {{"x", 0.5}};
      trial.state = TrialState::kRunning;
      trial.facts.replicate_of = trials[i].replicate_of;
      store.insert_trial(trial);
      trial.state = TrialState::kCompleted;
      trial.values = trials[i].values;
      store.update_trial(trial);
    }
  }
  store::StudyStore open(store::OpenMode mode) const { return {folder.path() / "s" / "study.db", mode}; }
  DeletionRequest request(int trial) const { return {folder.path(), "s", trial, "ada@host"}; }
  std::vector<std::string> notes(int trial) const { return preview_deletion(request(trial)).notes; }
  bool is_decided_after(int trial) const {
    delete_from_store(request(trial), SystemClock());
    return open(store::OpenMode::kRead).study().facts.promotion.has_value();
  }

  ScratchFolder folder;
};

TEST_CASE(
    "the promotion is decided again when the preferred trial of a front is deleted, not when another is") {
  // Trial 1 is the best by the first objective alone.
  const PromotedStudy study({{{0.9, 30}}, {{0.7, 10}}, {{0.8, 20}}}, 2);
  CHECK(study.notes(1).empty());
  CHECK(study.is_decided_after(1));
  CHECK(study.notes(2) == std::vector<std::string>{"it is the preferred trial of the study's front"});
  CHECK_FALSE(study.is_decided_after(2));
}

TEST_CASE("a deleted run on another seed that changes the winner is said, and the promotion decided again") {
  // Over seeds trial 2 is the best; with one fresh value the first values count as they are.
  const PromotedStudy study({{{0.9}}, {{0.8}}, {{0.5}, 1}, {{0.8}, 2}}, 2);
  CHECK(study.notes(2) == std::vector<std::string>{"it is the study's best trial"});
  CHECK(study.notes(3) ==
        std::vector<std::string>{"without it trial 1 is the study's best, and no longer trial 2"});
  CHECK_FALSE(study.is_decided_after(3));
}

TEST_CASE("the promotion of a trial that was the best once is decided again when that trial is deleted") {
  const PromotedStudy study({{{0.8}}, {{0.9}}}, 1);
  CHECK(study.notes(1).empty());
  CHECK_FALSE(study.is_decided_after(1));
}

TEST_CASE("a deletion that died before its last step is finished, though only empty folders are left") {
  const ScratchFolder store;
  const DeletionRequest request{store.path(), "s", 0, "ada@host"};
  fs::create_directories(store.path() / ".deleted" / "s.1a");
  CHECK(preview_deletion(request).notes ==
        std::vector<std::string>{"a deletion of it was interrupted, and is finished"});
  delete_from_store(request, SystemClock());
  CHECK(fs::is_empty(store.path()));

  const PromotedStudy study({{{0.8}}, {{0.9}}}, 2);
  delete_from_store(study.request(1), SystemClock());
  CHECK_THROWS_WITH(preview_deletion(study.request(1)), Catch::Matchers::Contains("was deleted by ada@host"));
  fs::create_directories(study.folder.path() / "s/trials/1");
  CHECK(study.notes(1).at(0) == "its deletion was interrupted, and is finished");
  delete_from_store(study.request(1), SystemClock());
  CHECK_FALSE(fs::exists(study.folder.path() / "s/trials/1"));
}

TEST_CASE("a study that another process is deleting is left to it, by the doctor too") {
  const ScratchFolder store;
  const fs::path aside = store.path() / ".deleted" / "s.1a";
  fs::create_directories(aside);
  const DeletionRequest request{store.path(), "s", 0, "ada@host"};
  {
    std::string holder;
    const auto lock = FileLock::try_once(study_lock(aside), holder);
    REQUIRE(lock);
    for (const bool is_preview : {true, false}) {
      try {
        is_preview ? (void)preview_deletion(request) : (void)delete_from_store(request, SystemClock());
        FAIL("it was deleted");
      } catch (const Error& error) {
        CHECK(error.code() == ExitCode::kConflict);
        CHECK_THAT(error.what(), Catch::Matchers::Contains("is being deleted already"));
      }
    }
    CHECK(finish_deletions(store.path()).done.empty());
    CHECK(fs::exists(aside));
  }
  CHECK(finish_deletions(store.path()).done ==
        std::vector<std::string>{"the deletion of the study s was finished"});
}

TEST_CASE("a folder that cannot be deleted is named, and the others are deleted all the same") {
  const ScratchFolder store;
  for (const char* name : {"kept.1", "other.2"}) fs::create_directories(store.path() / ".deleted" / name);
  std::ofstream(store.path() / ".deleted" / "kept.1" / "file") << "x";
  fs::permissions(store.path(), fs::perms::all);
  fs::permissions(store.path() / ".deleted", fs::perms::all);
  fs::permissions(store.path() / ".deleted" / "kept.1", fs::perms{0555});
  FinishedDeletions result;
  {
    const WithoutRights nobody;
    result = finish_deletions(store.path());
  }
  fs::permissions(store.path() / ".deleted" / "kept.1", fs::perms::owner_all);
  CHECK(result.done == std::vector<std::string>{"the deletion of the study other was finished"});
  REQUIRE(result.failed.size() == 1);
  CHECK(result.failed[0].starts_with("the deletion of the study kept cannot be finished: cannot remove "));
}

}  // namespace
}  // namespace tune::tests

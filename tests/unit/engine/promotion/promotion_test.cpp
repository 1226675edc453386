#include "tuner/engine/promotion/promotion.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tuner/engine/promotion/model_files.h"
#include "tuner/os/sha256.h"
#include "unit/engine/promotion/promotable_study.h"

namespace tune::tests {
namespace {

using namespace engine;
namespace fs = std::filesystem;

TEST_CASE("the gate wants a better value of the same metric with the same goal") {
  CHECK(judge_promotion(kPromotable, {0.1}, std::nullopt, std::nullopt, false).passes);
  store::ModelVersion current;
  current.version = 3;
  current.objective = kPromotable;
  current.value = 0.4;
  CHECK(judge_promotion(kPromotable, {0.5}, current, std::nullopt, false).passes);
  CHECK_FALSE(judge_promotion(kPromotable, {0.4}, current, std::nullopt, false).passes);
  CHECK_FALSE(judge_promotion(kPromotable, {0.3}, current, std::nullopt, false).passes);
  CHECK(judge_promotion(kPromotable, {0.3}, current, std::nullopt, true).passes);
  Objective other = kPromotable;
  other.metric = "AP50";
  CHECK_FALSE(judge_promotion(other, {0.9}, current, std::nullopt, false).passes);
  other = kPromotable;
  other.goal = Goal::kMinimize;
  CHECK_FALSE(judge_promotion(other, {0.1}, current, std::nullopt, false).passes);
  CHECK(judge_promotion(other, {0.1}, current, std::nullopt, false).reason.find("version 3") !=
        std::string::npos);
}

TEST_CASE("a bound is said with as many digits as mean something, and a value as it is") {
  store::ModelVersion current;
  current.version = 3;
  current.objective = kPromotable;
  current.value = 0.4123456789;
  CHECK(judge_promotion(kPromotable, {0.5123456789, true}, current, std::nullopt, false).reason ==
        "mAP 0.512346 is better: version 3 has mAP 0.4123456789");
  const Judged bound{0.3123456789, true, "the bound"};
  CHECK(judge_promotion(kPromotable, {0.3123456788}, current, bound, false).reason ==
        "mAP 0.3123456788 is not better: version 3 has mAP 0.312346 (the bound)");
}

TEST_CASE("the worst score that there is is promoted with that word, of a built-in trainer alone") {
  for (const bool is_built_in : {true, false}) {
    ScratchFolder folder;
    PromotableStudy study(folder.path(), "s", {0, 0}, kPromotable);
    store::StudyRow row = study.store().study();
    if (is_built_in) row.spec["trainer"] = {{"task", "detection"}};
    study.store().update_spec(row);
    const auto result = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
    CHECK(result.promoted);
    CHECK(result.reason == std::string("first version, with mAP 0") +
                               (is_built_in ? "; 0 is the worst mAP that there is: look at the trial's log "
                                              "and at its data"
                                            : ""));
  }
}

TEST_CASE("the best trial's output becomes the current version, whole and hashed") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2, 0.6, 0.4});
  const store::PromotionDecision result = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  CHECK(result.promoted);
  CHECK(result.trial == 2);
  CHECK(result.version == 1);
  const fs::path current = folder.path() / "models" / "m" / "current";
  CHECK(fs::read_symlink(current) == "versions/1");
  CHECK(promoted_text(current / "deep" / "labels") == "trial 2");
  const store::ModelRegistry registry(folder.path() / "models" / "registry.db", store::OpenMode::kWrite);
  const auto version = registry.current("m");
  REQUIRE(version);
  CHECK(version->value == 0.6);
  REQUIRE(version->files.size() == 2);
  CHECK(version->files[0].path == "deep/labels");
  CHECK(version->files[1].sha256 == sha256_of_file(current / "weights"));
  CHECK(version->lineage.at("trial") == 2);
  CHECK(registry.promotions("m").size() == 1);
  // The version has bytes of its own: a trainer that writes on does not change it.
  std::ofstream(study.output(2) / "weights") << "changed";
  CHECK(promoted_text(current / "weights") == "abc");
}

TEST_CASE("promoting the same trial again changes nothing") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2});
  promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  const store::PromotionDecision again = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  CHECK(again.version == 1);
  CHECK(again.reason.find("already") != std::string::npos);
  CHECK(store::ModelRegistry(folder.path() / "models" / "registry.db", store::OpenMode::kWrite)
            .promotions("m")
            .size() == 1);
}

TEST_CASE("a study that was removed and started anew has other trials under the old numbers") {
  ScratchFolder folder;
  {
    PromotableStudy study(folder.path(), "s", {0.2});
    promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  }
  fs::remove_all(folder.path() / "s");
  {
    PromotableStudy study(folder.path(), "s", {0.7}, kPromotable, "another");
    const store::PromotionDecision result = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
    CHECK(result.promoted);
    CHECK(result.version == 2);
  }
  fs::remove_all(folder.path() / "s");
  // The same number and value, but other weights.
  PromotableStudy twin(folder.path(), "s", {0.7}, kPromotable, "a third");
  CHECK_FALSE(promote_trial(twin.store(), {folder.path(), "m", std::nullopt}).promoted);
  CHECK(promote_trial(twin.store(), {folder.path(), "m", 1}).version == 3);
}

TEST_CASE("lineage tells of the run that the trial was made in, not of the last one") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2, 0.6, 0.4});
  store::StudyRow row = study.store().study();
  const auto run = [](int since_ms, const char* commit, const char* host) {
    store::RunFacts facts;
    facts.tune = "0.1.0";
    facts.sqlite = "3.40.1";
    facts.machine.host = host;
    facts.code = {commit, true};
    facts.since = WallTime(Milliseconds(since_ms));
    return facts;
  };
  row.facts.runs = {run(500, "a", "one"), run(1500, "b", "two"), run(2500, "c", "three")};
  study.store().update_study(row);
  promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  const store::ModelRegistry registry(folder.path() / "models" / "registry.db", store::OpenMode::kRead);
  const Json lineage = registry.current("m")->lineage;
  CHECK(lineage.at("code").dump() == R"({"clean":true,"commit":"b"})");
  CHECK(lineage.at("run").dump() ==
        R"({"machine":{"cores":0,"driver":"","gpus":[],"host":"two"},"since_ms":1500,"sqlite":"3.40.1",)"
        R"("tune":"0.1.0"})");
  CHECK(lineage.at("token") == "token-2");
  CHECK(lineage.at("study_seed") == row.seed);
  CHECK(lineage.at("trial_seed") == trial_seed(row.seed, 2));  // the trainer's TUNE_SEED
}

TEST_CASE("rights that a person gave to the models' folder stay") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2, 0.3});
  const fs::path models = folder.path() / "models";
  promote_trial(study.store(), {folder.path(), "m", 1});
  CHECK(fs::status(models).permissions() == fs::perms::owner_all);
  fs::permissions(models, fs::perms::owner_all | fs::perms::group_all);
  promote_trial(study.store(), {folder.path(), "m", 2});
  CHECK(fs::status(models).permissions() == (fs::perms::owner_all | fs::perms::group_all));
}

TEST_CASE("a worse trial is refused unless a person chose it, and can be rolled back") {
  ScratchFolder folder;
  PromotableStudy good(folder.path(), "good", {0.9}), bad(folder.path(), "bad", {0.1});
  promote_trial(good.store(), {folder.path(), "m", std::nullopt});
  const store::PromotionDecision refused = promote_trial(bad.store(), {folder.path(), "m", std::nullopt});
  CHECK_FALSE(refused.promoted);
  CHECK(refused.reason.find("not better") != std::string::npos);
  CHECK(promote_trial(bad.store(), {folder.path(), "m", 1}).version == 2);
  const store::PromotionDecision back = promote_trial(good.store(), {folder.path(), "m", 1});
  CHECK(back.version == 1);
  CHECK(fs::read_symlink(folder.path() / "models" / "m" / "current") == "versions/1");
}

TEST_CASE("what is no file, an empty output and a trial without a value are refused with their reason") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2, 0.3});
  fs::create_symlink("/etc/passwd", study.output(2) / "link");
  const store::PromotionDecision link = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  CHECK_FALSE(link.promoted);
  CHECK(link.reason.find("link, which is neither a file nor a folder") != std::string::npos);
  CHECK_FALSE(fs::exists(folder.path() / "models" / "m" / "current"));
  fs::remove(study.output(2) / "link");
  fs::create_symlink("link", study.output(2) / "link");
  CHECK_FALSE(promote_trial(study.store(), {folder.path(), "m", std::nullopt}).promoted);
  fs::remove_all(study.output(2));
  const store::PromotionDecision empty = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  CHECK_FALSE(empty.promoted);
  CHECK(empty.reason.find("$TUNE_OUTPUT_DIR") != std::string::npos);
  CHECK_THROWS_AS(promote_trial(study.store(), {folder.path(), "m", 7}), Error);
  CHECK_THROWS_AS(promote_trial(study.store(), {folder.path(), "../m", std::nullopt}), Error);
  CHECK_THROWS_AS(promote_trial(study.store(), {folder.path(), "staging", std::nullopt}), Error);
  CHECK_THROWS_AS(promote_trial(study.store(), {folder.path(), "lock", std::nullopt}), Error);
  CHECK_THROWS_AS(promote_trial(study.store(), {folder.path(), "registry.db-wal", std::nullopt}), Error);
}

TEST_CASE("whatever a trainer leaves in its output's place is refused, and neither waited for nor followed") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2});
  const fs::path output = study.output(1);
  const std::string what =
      GENERATE(as<std::string>(), "fifo", "endless link", "socket below", "root link", "root file",
               "root fifo", "link out of the folder", "folders without end", "names without end");
  CAPTURE(what);
  const auto replace_root = [&](const std::function<void()>& put) {
    fs::rename(output, folder.path() / "elsewhere");
    put();
  };
  if (what == "fifo") REQUIRE(::mkfifo((output / "model.json").c_str(), 0600) == 0);
  if (what == "endless link") fs::create_symlink("/dev/zero", output / "model.json");
  if (what == "socket below") REQUIRE(::mknod((output / "deep" / "s").c_str(), S_IFSOCK | 0600, 0) == 0);
  if (what == "root link") replace_root([&] { fs::create_symlink(folder.path() / "elsewhere", output); });
  if (what == "root file") replace_root([&] { std::ofstream(output) << "a file"; });
  if (what == "root fifo") replace_root([&] { REQUIRE(::mkfifo(output.c_str(), 0600) == 0); });
  if (what == "link out of the folder") fs::create_symlink("../../../../study.db", output / "model.json");
  if (what.ends_with("without end")) {
    // One below another from within, since no path reaches them all.
    const std::string name = what.starts_with("names") ? std::string(250, 'd') : "d";
    const int home = ::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(::chdir(output.c_str()) == 0);
    for (int depth = 0; depth < 60; ++depth) {
      REQUIRE(::mkdir(name.c_str(), 0700) == 0);
      REQUIRE(::chdir(name.c_str()) == 0);
    }
    REQUIRE(::fchdir(home) == 0);
    ::close(home);
  }
  const store::PromotionDecision result = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  CHECK_FALSE(result.promoted);
  CHECK(result.reason.find("trial 1 ") == 0);
  CHECK(result.reason.find("$TUNE_OUTPUT_DIR") != std::string::npos);
  CHECK_FALSE(fs::exists(folder.path() / "models" / "m" / "current"));
}

TEST_CASE("a model.json that cannot be used is promoted as it is, and said to be missing from the lineage") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2});
  const std::string content = GENERATE(as<std::string>(), "not JSON", std::string(300'000, '['));
  std::ofstream(study.output(1) / "model.json") << content;
  const store::PromotionDecision result = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  REQUIRE(result.promoted);
  CHECK(result.reason.find("not taken into its lineage: cannot read") != std::string::npos);
  CHECK(promoted_text(result.folder / "model.json") == content);
}

TEST_CASE("nobody inherits a trainer's set-uid bits by promoting its output") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2});
  REQUIRE(::chmod((study.output(1) / "weights").c_str(), 06755) == 0);
  const store::PromotionDecision result = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  struct stat status {};
  REQUIRE(::stat((result.folder / "weights").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0755);
}

TEST_CASE("an interruption ends the copying of a model, and leaves nothing of it") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2});
  fs::resize_file(study.output(1) / "weights", 64 << 20);
  int asked = 0;
  try {
    promote_trial(study.store(), {folder.path(), "m", std::nullopt, [&] { return ++asked > 10; }});
    FAIL("it was copied whole");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kInterrupted);
  }
  CHECK(fs::is_empty(folder.path() / "models" / "staging"));
  CHECK_FALSE(fs::exists(folder.path() / "models" / "m" / "current"));
  CHECK(promote_trial(study.store(), {folder.path(), "m", std::nullopt}).version == 1);
}

TEST_CASE("a version that is not what was promoted is told, file by file") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2});
  const store::PromotionDecision result = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  const store::ModelRegistry registry(folder.path() / "models" / "registry.db", store::OpenMode::kRead);
  const auto files = registry.versions("m").at(0).files;
  CHECK(damage_of(result.folder, files).empty());
  std::ofstream(result.folder / "weights") << "abd";
  fs::remove(result.folder / "deep" / "labels");
  REQUIRE(::mkfifo((result.folder / "deep" / "labels").c_str(), 0600) == 0);
  std::ofstream(result.folder / "added") << "more";
  const std::vector<std::string> damage = damage_of(result.folder, files);
  REQUIRE(damage.size() == 3);
  CHECK(damage[0].find("labels\": it is a FIFO") != std::string::npos);
  CHECK(damage[1].find("weights is not what was promoted") != std::string::npos);
  CHECK(damage[2].find("added was not promoted") != std::string::npos);
  fs::remove_all(result.folder);
  CHECK(damage_of(result.folder, files) == std::vector{result.folder.string() + " is gone"});
}

TEST_CASE("a link to a file of the same output is promoted as that file") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2});
  fs::create_symlink("../weights", study.output(1) / "deep" / "last");
  const store::PromotionDecision result = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  REQUIRE(result.promoted);
  CHECK_FALSE(fs::is_symlink(result.folder / "deep" / "last"));
  CHECK(promoted_text(result.folder / "deep" / "last") == "abc");
}

TEST_CASE("what a dead promotion left is cleared, and its link is made good") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2}), next(folder.path(), "next", {0.1});
  promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  const fs::path models = folder.path() / "models";
  fs::remove(models / "m" / "current");
  fs::create_symlink("versions/1", models / "m" / "current.left-behind");
  fs::create_directories(models / "staging" / "left" / "behind");
  fs::copy(next.output(1), models / "m" / "versions" / "2", fs::copy_options::recursive);  // without a row
  CHECK_FALSE(promote_trial(next.store(), {folder.path(), "m", std::nullopt}).promoted);
  CHECK(fs::read_symlink(models / "m" / "current") == "versions/1");
  CHECK_FALSE(fs::is_symlink(models / "m" / "current.left-behind"));
  CHECK(fs::is_empty(models / "staging"));
  CHECK(promote_trial(next.store(), {folder.path(), "m", 1}).version == 2);
}

TEST_CASE("versions that a lost registry no longer knows are never overwritten") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2}), next(folder.path(), "next", {0.1});
  std::ofstream(next.output(1) / "weights") << "others";
  const store::PromotionDecision first = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  fs::remove(folder.path() / "models" / "registry.db");
  const store::PromotionDecision second = promote_trial(next.store(), {folder.path(), "m", std::nullopt});
  CHECK(second.promoted);
  CHECK(second.version == 2);
  CHECK(promoted_text(first.folder / "weights") == "abc");
  CHECK(promoted_text(second.folder / "weights") == "others");
}

TEST_CASE("losing checkpoints are removed, the winner's is kept") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2, 0.6, 0.4});
  CHECK(remove_losing_checkpoints(study.store(), folder.path() / "s", 2) == 16);
  CHECK_FALSE(fs::exists(checkpoint_folder(folder.path() / "s", 1)));
  CHECK(fs::exists(checkpoint_folder(folder.path() / "s", 2) / "last"));
}

TEST_CASE(
    "with replicates the one whose mean is surely best is promoted, by the bound of it, in its best run") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.9, 0.5, 0.8});
  for (const double value : {0.60, 0.62, 0.61}) study.add_replicate(1, value);  // trials 4 to 6: it was lucky
  for (const double value : {0.79, 0.82, 0.80}) study.add_replicate(3, value);  // trials 7 to 9
  const store::PromotionDecision result = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  CHECK(result.promoted);
  CHECK(result.trial == 8);
  CHECK(result.reason.find("(the bound of the mean of 4 runs of trial 3); of the 4 runs of trial 3 this is "
                           "trial 8 with 0.82") != std::string::npos);
  CHECK(promoted_text(folder.path() / "models" / "m" / "current" / "deep" / "labels") == "trial 8");
  const store::ModelRegistry registry(folder.path() / "models" / "registry.db", store::OpenMode::kRead);
  const store::ModelVersion version = registry.current("m").value();
  CHECK(version.value == 0.82);
  const Json seeds = version.lineage.at("seeds");
  CHECK(seeds.at("trial") == 3);
  CHECK(seeds.at("fresh_values") == Json{0.79, 0.82, 0.80});
  const double bound = seeds.at("bound").get<double>();
  CHECK(bound < 0.79);
  // Promoted again it is the same version.
  CHECK(promote_trial(study.store(), {folder.path(), "m", std::nullopt}).version == 1);
  // A single value just above that bound takes its place, though it is below 0.82; one below it does not.
  PromotableStudy worse(folder.path(), "worse", {bound - 0.001}),
      better(folder.path(), "better", {bound + 0.001});
  CHECK_FALSE(promote_trial(worse.store(), {folder.path(), "m", std::nullopt}).promoted);
  CHECK(promote_trial(better.store(), {folder.path(), "m", std::nullopt}).promoted);
}

TEST_CASE("a version that was promoted before its study had replicates is judged by its bound of now") {
  for (const bool was_repeated : {true, false}) {
    ScratchFolder folder;
    PromotableStudy study(folder.path(), "s", {0.9, 0.5, 0.8});
    REQUIRE(promote_trial(study.store(), {folder.path(), "m", std::nullopt}).trial == 1);
    if (was_repeated)
      for (const double value : {0.60, 0.62, 0.61}) study.add_replicate(1, value);
    for (const double value : {0.79, 0.82, 0.80, 0.81}) study.add_replicate(3, value);
    for (const double value : {0.20, 0.22, 0.21}) study.add_replicate(2, value);  // first values flatter
    const store::PromotionDecision result = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
    CAPTURE(was_repeated, result.reason);
    CHECK(result.promoted);
    CHECK(result.reason.find("(the bound of the mean of 5 runs of trial 3) is better: version 1 has mAP ") !=
          std::string::npos);
    CHECK(result.reason.find(was_repeated ? " (the bound of the mean of 4 runs of trial 1); of the 5 runs"
                                          : " (the bound of the mean of trial 1, run once); of the 5 runs") !=
          std::string::npos);
  }
}

TEST_CASE("a version of another study without replicates is judged one run against one run") {
  ScratchFolder folder;
  PromotableStudy old(folder.path(), "old", {0.805}), study(folder.path(), "s", {0.81, 0.5});
  REQUIRE(promote_trial(old.store(), {folder.path(), "m", std::nullopt}).promoted);
  for (const double value : {0.79, 0.82, 0.80}) study.add_replicate(1, value);
  const store::PromotionDecision result = promote_trial(study.store(), {folder.path(), "m", std::nullopt});
  CHECK(result.promoted);
  CHECK(
      result.reason ==
      "mAP 0.81 (the first run of trial 1) is better: version 1 has mAP 0.805 (its only run); of the 4 runs "
      "of trial 1 this is trial 4 with 0.82");
}

}  // namespace
}  // namespace tune::tests

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "support/catch.h"
#include "support/without_rights.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/sha256.h"
#include "unit/cli/cli_fixture.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

// The lock that a running orchestrator holds.
class HeldLock {
 public:
  explicit HeldLock(const fs::path& file) : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    REQUIRE(::flock(fd_, LOCK_EX | LOCK_NB) == 0);
  }
  ~HeldLock() { release(); }
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;
  void release() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

TEST_CASE("status lists the studies, and one that cannot be read does not hide the others", "[cli]") {
  const SampleStore store;
  write_text(store / "damaged/study.db", std::string(5000, 'x'));
  const Printed printed = store.run({"status"});
  CHECK(printed.code == 0);
  CHECK(contains(printed.out, "steel-legacy"));
  CHECK(contains(printed.out, "1 queued, 1 completed, 1 failed"));
  CHECK(contains(printed.err, "warning: damaged: "));
  const Json json = Json::parse(store.run({"status", "--json"}).out);
  CHECK(json.at("schema") == 1);
  CHECK(json.at("studies").size() == 1);
  CHECK(json.at("studies").at(0).at("counts").at("failed") == 1);
  CHECK(json.at("warnings").at(0).at("study") == "damaged");
}

TEST_CASE("status of an empty store is no error", "[cli]") {
  const store::TemporaryFolder folder;
  const Printed printed = run({"status", "--store", (folder / "").string()});
  CHECK(printed.code == 0);
  CHECK(contains(printed.out, "no studies"));
}

TEST_CASE("a study is running only while a tune holds its lock", "[cli]") {
  const SampleStore store;
  CHECK(Json::parse(store.run({"status", "steel-legacy", "--json"}).out).at("state") == "interrupted");
  HeldLock lock(store / "steel-legacy/lock");
  CHECK(Json::parse(store.run({"status", "steel-legacy", "--json"}).out).at("state") == "running");
  lock.release();
  CHECK(Json::parse(store.run({"status", "steel-legacy", "--json"}).out).at("state") == "interrupted");
}

TEST_CASE("what runs is shown with its last value and the time so far", "[cli]") {
  const SampleStore store;
  const HeldLock lock(store / "steel-legacy/lock");
  store::StudyStore writer(store / "steel-legacy/study.db", store::OpenMode::kWrite);
  store::TrialRow running = store::trial_row(3);
  running.state = TrialState::kRunning;
  writer.update_trial(running);
  store::AttemptRow attempt = store::attempt_row(3, 1);
  attempt.state = store::AttemptState::kRunning;
  attempt.devices = {"GPU-7"};
  attempt.started = SystemClock().wall_now() - std::chrono::hours(2);
  writer.insert_attempt(attempt);
  writer.insert_metrics({store::metric_row(3, "validation:mAP", 4, 0.31)});

  const std::string text = store.run({"status", "steel-legacy"}).out;
  CHECK(contains(text, "  running: trial 3, step 4, validation:mAP 0.31, GPU-7, 2h 00m\n"));
  const Json json = Json::parse(store.run({"status", "steel-legacy", "--json"}).out).at("running");
  REQUIRE(json.size() == 1);
  CHECK(json.at(0).at("step") == 4);
  CHECK(json.at(0).at("seconds") >= 7200);
  CHECK(contains(store.run({"show", "steel-legacy/3"}).out, "2h 00m"));
  CHECK(contains(store.run({"trials", "steel-legacy"}).out, "2h 00m"));
}

TEST_CASE("reading commands work beside a writer in the middle of a transaction", "[cli]") {
  const SampleStore store;
  store::StudyStore writer(store / "steel-legacy/study.db", store::OpenMode::kWrite);
  store::StudyStore::Transaction transaction(writer);
  writer.insert_trial(store::trial_row(4));
  for (const std::string command : {"status", "trials", "best"}) {
    const Printed printed = store.run({command, "steel-legacy"});
    CHECK(printed.code == 0);
  }
  CHECK(Json::parse(store.run({"trials", "steel-legacy", "--json"}).out).at("trials").size() == 3);
}

TEST_CASE("trials come as a table, as CSV and as JSON", "[cli]") {
  const SampleStore store;
  CHECK(contains(store.run({"trials", "steel-legacy"}).out, "crash: exit code 3"));
  const std::string csv = store.run({"trials", "steel-legacy", "--csv"}).out;
  CHECK(csv.starts_with("trial,state,validation:mAP,batch_size,learning_rate,optimizer,"));
  CHECK(contains(csv, "\r\n1,completed,0.4125,8,0.001,sgd,"));
  const Json json = Json::parse(store.run({"trials", "steel-legacy", "--json"}).out);
  CHECK(json.at("trials").at(1).at("failure") == "crash");
  CHECK(json.at("trials").at(2).at("value").is_null());
  CHECK(store.run({"trials", "steel-legacy", "--csv", "--json"}).code == 2);
}

TEST_CASE("best prints the hyperparameters, and as JSON what ask-tell answers", "[cli]") {
  const SampleStore store;
  CHECK(store.run({"best", "steel-legacy"}).out.starts_with("Best: trial 1 with validation:mAP 0.4125\n"));
  const Json expected = {{"schema", 1},
                         {"trial", 1},
                         {"value", 0.4125},
                         {"parameters", store::trial_row(1).parameters},
                         {"cut", nullptr},
                         {"replicates", nullptr},
                         {"edges", Json::array()},
                         {"fixed", Json::object()}};
  Json best = Json::parse(store.run({"best", "steel-legacy", "--json"}).out);
  // The fixture's spec has no ranges.
  CHECK(contains(best.at("importance").at("reason"), "the stored spec cannot be read"));
  best.erase("importance");
  CHECK(best == expected);
  store::StudyStore writer(store / "steel-legacy/study.db", store::OpenMode::kWrite);
  writer.insert_trial(store::trial_row(4));
  store::TrialRow winner = store::completed(store::trial_row(4), 0.9);
  winner.cut = "trial_time";
  writer.update_trial(winner);
  CHECK(Json::parse(store.run({"best", "steel-legacy", "--json"}).out).at("cut") == "trial_time");
}

TEST_CASE("best shows which hyperparameters made the difference, once enough trials have completed",
          "[cli]") {
  const store::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "s");
  store::StudyStore study(folder / "s/study.db", store::OpenMode::kCreate);
  store::StudyRow row = store::study_row();
  row.name = "s";
  row.objective = {"loss", Goal::kMinimize, Reduce::kBest};
  row.spec_text = R"({"study": "s", "objective": {"metric": "loss", "goal": "minimize"},
    "parameters": {"lr": {"type": "float", "min": 0, "max": 1}, "width": {"type": "float", "min": 0, "max": 1}},
    "limits": {"trials": 40}})";
  row.spec = Json::parse(row.spec_text);
  study.create_study(row);
  const auto add = [&](int number) {
    const double lr = (number * 7 % 40) / 40.0, width = (number * 11 % 40) / 40.0;
    store::TrialRow trial = store::trial_row(number);
    trial.parameters = {{"lr", lr}, {"width", width}};
    study.insert_trial(trial);
    study.update_trial(store::completed(trial, 2 * lr + 0.6 * width));
  };
  const auto best = [&](const std::string& option) {
    std::vector<std::string> arguments{"best", "s", "--store", (folder / "").string()};
    if (!option.empty()) arguments.push_back(option);
    return run(arguments).out;
  };
  CHECK_FALSE(contains(best(""), "Importance"));
  for (int number = 1; number <= 9; ++number) add(number);
  CHECK(contains(best(""),
                 "Importance, by the variance that it explains: too few completed trials: 9 of the 10"));
  const Json few = Json::parse(best("--json")).at("importance");
  CHECK(few.at("trials") == 9);
  CHECK(few.at("parameters").empty());
  CHECK(contains(few.at("reason"), "too few"));
  for (int number = 10; number <= 40; ++number) add(number);
  const std::string text = best("");
  CHECK(contains(text, "in 40 completed trials:\n  lr                   9"));
  CHECK(contains(text, "\n  (several together)"));
  const Json importance = Json::parse(best("--json")).at("importance");
  CHECK(importance.at("parameters").at(0).at("name") == "lr");
  CHECK(importance.at("parameters").at(0).at("share") > 0.9);
  CHECK(importance.at("interactions") < 0.1);
}

TEST_CASE("show prints one trial with the place of its files", "[cli]") {
  const SampleStore store;
  CHECK_FALSE(contains(store.run({"show", "steel-legacy/2"}).out, "Files:"));  // as of ask and tell
  std::filesystem::create_directories(store / "steel-legacy/trials/2");
  const Printed printed = store.run({"show", "steel-legacy/2"});
  CHECK(contains(printed.out, "reason: crash: exit code 3"));
  CHECK(contains(printed.out, "Files: "));
  CHECK(contains(printed.out, "steel-legacy/trials/2\n"));
  CHECK(Json::parse(store.run({"show", "steel-legacy/2", "--json"}).out).at("attempts").size() == 2);
  const Printed missing = store.run({"show", "steel-legacy/9"});
  CHECK(missing.code == 5);
  CHECK(contains(missing.err, "its trials are 1 to 3"));
}

TEST_CASE("models lists versions, and a registry that does not exist holds none", "[cli]") {
  const SampleStore store;
  CHECK(store.run({"models"}).code == 0);
  CHECK(Json::parse(store.run({"models", "--json"}).out).at("models").empty());
  CHECK(store.run({"models", "steel"}).code == 5);
  fs::create_directories(store / "models");
  store::ModelRegistry registry(store / "models/registry.db", store::OpenMode::kCreate);
  store::ModelVersion version;
  version.model = "steel";
  version.version = 1;
  version.study = "steel-legacy";
  version.trial = 1;
  registry.insert_version(version);
  registry.promote({"steel", 0, 1, "the first version", Json::object(), store::at(0)});
  CHECK(contains(store.run({"models"}).out, "steel-legacy/1"));
  CHECK(contains(store.run({"models", "steel"}).out, "none -> 1  the first version"));
  CHECK(Json::parse(store.run({"models", "steel", "--json"}).out).at("current") == 1);
  CHECK(contains(store.run({"models", "stel"}).err, "did you mean \"steel\"?"));
}

TEST_CASE("logs shows the last attempt or the one asked for, without obeying it", "[cli]") {
  const SampleStore store;
  write_text(store / "steel-legacy/trials/2/attempts/1/log", "first\n");
  write_text(store / "steel-legacy/trials/2/attempts/2/log",
             "\x1b[32mgreen\x1b[0m\x1b]0;title\x07\n10%\r20%\r\n\nloss 0.9\b\b\b0.5\n\x9b\x9D\xff\nend");
  // As the regexes see it, beside colours and empty lines.
  const std::string rest = "\n10%\n20%\n\nloss 0.5\n\xEF\xBF\xBD\xEF\xBF\xBD\nend\n";
  CHECK(store.run({"logs", "steel-legacy/2"}).out == "green" + rest);
  CHECK(store.run({"logs", "steel-legacy/2"}, true).out == "\x1b[32mgreen\x1b[0m" + rest + "\x1b[0m");
  CHECK(store.run({"logs", "steel-legacy/2", "--attempt", "1"}).out == "first\n");
  CHECK(store.run({"logs", "steel-legacy/2", "--attempt", "3"}).code == 5);
  CHECK(store.run({"logs", "steel-legacy/3"}).code == 5);  // queued: nothing was started
  const std::string lines = store.run({"logs", "steel-legacy/2", "--json"}, true).out;
  CHECK(Json::parse(lines.substr(0, lines.find('\n'))).at("line") == "green");
  CHECK(contains(lines, "\"line\":\"end\""));
}

TEST_CASE("logs says that it cuts a line where metrics are no longer read", "[cli]") {
  const SampleStore store;
  write_text(store / "steel-legacy/trials/1/attempts/1/log", std::string(100'000, 'x') + "\nend\n");
  const Printed printed = store.run({"logs", "steel-legacy/1"});
  CHECK(printed.out == std::string(65'536, 'x') + "\nend\n");
  CHECK(contains(printed.err, "notice: lines longer than 64 kB are shown to there"));
}

TEST_CASE("following a trial that has ended prints it and ends", "[cli]") {
  const SampleStore store;
  write_text(store / "steel-legacy/trials/1/attempts/1/log", "all of it\n");
  CHECK(store.run({"logs", "steel-legacy/1", "--follow"}).out == "all of it\n");
}

TEST_CASE("following prints what comes until the trial has ended, over attempts", "[cli]") {
  const SampleStore store;
  const HeldLock lock(store / "steel-legacy/lock");
  const fs::path attempts = store / "steel-legacy/trials/3/attempts";
  write_text(attempts / "1/log", "first attempt\n");
  write_text(attempts / "2/log", "second");
  store::StudyStore writer(store / "steel-legacy/study.db", store::OpenMode::kWrite);
  store::AttemptRow attempt = store::attempt_row(3, 1);
  attempt.state = store::AttemptState::kRunning;
  writer.insert_attempt(attempt);

  Printed printed;
  std::thread follower([&] { printed = store.run({"logs", "steel-legacy/3", "--follow"}); });
  attempt.state = store::AttemptState::kExited;
  write_text(attempts / "1/log", "its end\n", std::ios::app);
  {
    // Both at once, so that the follower may find the first attempt over before it has looked at all.
    store::StudyStore::Transaction transaction(writer);
    writer.update_attempt(attempt);
    transaction.commit();
  }
  store::AttemptRow second = store::attempt_row(3, 2);
  second.state = store::AttemptState::kRunning;
  writer.insert_attempt(second);
  write_text(attempts / "2/log", " attempt\n", std::ios::app);
  second.state = store::AttemptState::kExited;
  writer.update_attempt(second);
  writer.update_trial(store::completed(store::trial_row(3), 0.1));
  follower.join();
  CHECK(printed.code == 0);
  CHECK(printed.out.ends_with("second attempt\n"));
}

TEST_CASE("following ends when the tune that ran the trial is gone", "[cli]") {
  const SampleStore store;
  write_text(store / "steel-legacy/trials/3/attempts/1/log", "so far\n");
  store::StudyStore writer(store / "steel-legacy/study.db", store::OpenMode::kWrite);
  store::AttemptRow attempt = store::attempt_row(3, 1);
  attempt.state = store::AttemptState::kRunning;
  writer.insert_attempt(attempt);
  CHECK(store.run({"logs", "steel-legacy/3", "--follow"}).out == "so far\n");
}

TEST_CASE("doctor looks at the registry of models", "[cli]") {
  const SampleStore store;
  const auto finding = [&] {
    const Json findings = Json::parse(store.run({"doctor", "--json"}).out).at("findings");
    for (const Json& one : findings)
      if (one.at("topic") == "models") return one;
    return Json();
  };
  CHECK(finding().at("verdict") == "ok");
  std::filesystem::create_directories(store / "models");
  std::ofstream(store / "models/registry.db") << std::string(20000, 'x');
  CHECK(finding().at("verdict") == "problem");
}

TEST_CASE("doctor says which of a store's folders and files this user cannot write", "[cli]") {
  const SampleStore store;
  const auto finding = [&](const std::string& path) {
    const Json findings = Json::parse(cli::run({"doctor", "--json", "--store", path}).out).at("findings");
    for (const Json& one : findings)
      if (one.at("topic") == "rights") return one;
    return Json();
  };
  CHECK(finding(store.path()).at("verdict") == "ok");
  CHECK(finding(store.path() + "not/there/yet").at("verdict") == "ok");
  fs::permissions(store / "steel-legacy/study.db", fs::perms{0444});
  fs::permissions(store / "steel-legacy", fs::perms{0555});
  fs::permissions(store / "", fs::perms{0555});
  Json closed, missing;
  {
    const tests::WithoutRights nobody;
    closed = finding(store.path());
    missing = finding(store.path() + "not/there/yet");
  }
  fs::permissions(store / "", fs::perms::owner_all);
  fs::permissions(store / "steel-legacy", fs::perms::owner_all);
  CHECK(closed.at("verdict") == "problem");
  for (const char* part : {"", "steel-legacy", "steel-legacy/study.db"})
    CHECK(contains(closed.at("text"), (store / part).lexically_normal().string() + " cannot be written"));
  CHECK(missing.at("verdict") == "problem");
}

// Makes a version of steel-detector, in the registry and on the disk.
void promote_sample(const SampleStore& store, int version) {
  const std::filesystem::path folder = store / ("models/steel-detector/versions/" + std::to_string(version));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "weights") << "weights of " << version;
  store::ModelRegistry registry(store / "models/registry.db", store::OpenMode::kCreate);
  const store::ModelFile file{"weights", std::filesystem::file_size(folder / "weights"),
                              sha256_of_file(folder / "weights")};
  store::ModelVersion row;
  row.model = "steel-detector";
  row.version = version;
  row.study = "steel-legacy";
  row.trial = 1;
  row.objective = {"validation:mAP", Goal::kMaximize, Reduce::kBest};
  row.lineage = Json::object();
  row.files = {file};
  registry.insert_version(row);
}

TEST_CASE("promoted files are compared with their stored hashes, by models verify and by doctor", "[cli]") {
  const SampleStore store;
  CHECK(store.run({"models", "verify"}).code == 0);
  promote_sample(store, 1);
  promote_sample(store, 2);
  const Printed whole = store.run({"models", "verify"});
  CHECK(whole.code == 0);
  CHECK(whole.out ==
        "steel-detector version 2: as it was promoted\nsteel-detector version 1: as it was promoted\n");
  std::ofstream(store / "models/steel-detector/versions/2/weights") << "weights of 3";
  const Printed damaged = store.run({"models", "verify", "steel-detector"});
  CHECK(damaged.code == 7);
  CHECK(contains(damaged.out, "steel-detector version 2: damaged\n"));
  CHECK(contains(damaged.out, "versions/2/weights is not what was promoted"));
  const Json json = Json::parse(store.run({"models", "verify", "--json"}).out);
  CHECK(json.at("damaged") == 1);
  CHECK(json.at("versions").at(0).at("damage").size() == 1);
  CHECK(json.at("versions").at(1).at("damage").empty());
  const Printed doctor = store.run({"doctor"});
  CHECK(doctor.code == 7);
  CHECK(contains(doctor.out, "versions/2/weights is not what was promoted"));
  std::filesystem::remove_all(store / "models/steel-detector/versions/1");
  CHECK(contains(store.run({"models", "verify"}).out, "versions/1 is gone"));
}

TEST_CASE("verifying a model that is not there is not found, and a second name needs the word", "[cli]") {
  const SampleStore store;
  promote_sample(store, 1);
  CHECK(store.run({"models", "verify", "steel-detectr"}).code == 5);
  CHECK(store.run({"models", "steel-detector", "steel-detector"}).code == 2);
}

TEST_CASE("a best that is not there is not found, and as JSON it is null as well", "[cli]") {
  const store::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "steel-legacy");
  {
    store::StudyStore(folder / "steel-legacy/study.db", store::OpenMode::kCreate)
        .create_study(store::study_row());
  }
  const std::string path = (folder / "").string();
  const Printed text = cli::run({"best", "steel-legacy", "--store", path});
  CHECK(text.code == 5);
  CHECK(text.out.empty());
  CHECK(contains(text.err, "has completed with a value"));
  const Printed json = cli::run({"best", "steel-legacy", "--store", path, "--json"});
  CHECK(json.code == 5);
  CHECK(Json::parse(json.out).at("trial").is_null());
}

}  // namespace
}  // namespace tune::cli

// What happens to the file: who may open it, who waits for whom, and what a killed writer leaves.
#include <SQLiteCpp/SQLiteCpp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include <fstream>
#include <random>
#include <thread>

#include "store/study_store.h"
#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::store {
namespace {

namespace fs = std::filesystem;

TEST_CASE("a study that is not there is not found, and a second one is not written over the first",
          "[store]") {
  const TemporaryFolder folder;
  CHECK(code_of([&] { StudyStore(folder / "study.db", OpenMode::kRead); }) == ExitCode::kNotFound);
  CHECK(code_of([&] { StudyStore(folder / "study.db", OpenMode::kWrite); }) == ExitCode::kNotFound);
  make_study(folder / "study.db");
  CHECK(code_of([&] { StudyStore(folder / "study.db", OpenMode::kCreate); }) == ExitCode::kConflict);
}

TEST_CASE("what is no regular file in a database's place is named, and never waited for", "[store]") {
  for (const char* part : {"", "-wal", "-journal"}) {
    const TemporaryFolder folder;
    const fs::path file = folder / "study.db", fifo = file.string() + part;
    if (*part != '\0') make_study(file);
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    const auto open = [&] { StudyStore(file, OpenMode::kRead); };
    CHECK(code_of(open) == ExitCode::kEnvironment);
    CHECK(message_of(open).find(fifo.string() + " is not a regular file") != std::string::npos);
  }
}

TEST_CASE("a study without trials takes another spec, one with trials does not", "[store]") {
  StudyStore store(":memory:", OpenMode::kCreate);
  store.create_study(study_row());
  StudyRow other = study_row();
  other.name = "other";
  other.seed = 5;
  other.spec = {{"study", "other"}};
  store.replace_study(other);
  CHECK(store.study().name == "other");
  CHECK(store.study().seed == 5);
  store.insert_trial(trial_row(1));
  CHECK(code_of([&] { store.replace_study(study_row()); }) == ExitCode::kInternal);
  CHECK(store.study().name == "other");
}

TEST_CASE("the points of one trial are forgotten, and those of others stay", "[store]") {
  StudyStore store(":memory:", OpenMode::kCreate);
  store.create_study(study_row());
  for (int number = 1; number <= 2; ++number) {
    store.insert_trial(trial_row(number));
    store.insert_metrics({metric_row(number, "a", 1, 0.5), metric_row(number, "b", 3, 0.7)});
  }
  store.remove_metrics(1);
  CHECK(store.metrics(1).empty());
  CHECK(store.metrics(2).size() == 2);
  store.insert_metrics({metric_row(1, "b", 1, 0.2)});
  CHECK(store.metrics(1).size() == 1);
}

TEST_CASE("a creation that was interrupted is taken up again", "[store]") {
  const TemporaryFolder folder;
  const bool empty_file = GENERATE(true, false);
  if (empty_file) {
    std::ofstream(folder / "study.db").close();
  } else {
    StudyStore(folder / "study.db", OpenMode::kCreate);  // tables, no study
  }
  CHECK(code_of([&] { StudyStore(folder / "study.db", OpenMode::kWrite); }) == ExitCode::kNotFound);
  CHECK(code_of([&] { StudyStore(folder / "study.db", OpenMode::kRead); }) == ExitCode::kNotFound);
  make_study(folder / "study.db");
  CHECK(StudyStore(folder / "study.db", OpenMode::kRead).study().name == "steel-legacy");
}

TEST_CASE("a reader cannot write", "[store]") {
  const TemporaryFolder folder;
  make_study(folder / "study.db");
  StudyStore reader(folder / "study.db", OpenMode::kRead);
  CHECK(code_of([&] { reader.insert_trial(trial_row(1)); }) == ExitCode::kInternal);
  CHECK(reader.trial_count() == 0);
}

TEST_CASE("readers see every commit beside the writer and survive its end", "[store]") {
  const TemporaryFolder folder;
  auto writer = std::make_unique<StudyStore>(folder / "study.db", OpenMode::kCreate);
  writer->create_study(study_row());
  const StudyStore reader(folder / "study.db", OpenMode::kRead);
  for (int number = 1; number <= 20; ++number) {
    StudyStore::Transaction transaction(*writer);
    writer->insert_trial(trial_row(number));
    CHECK(reader.trial_count() == number - 1);
    transaction.commit();
    CHECK(reader.trial_count() == number);
    if (number == 10) writer->checkpoint_wal();
  }
  writer.reset();
  CHECK(reader.trial_count() == 20);
  CHECK(reader.integrity() == "ok");
}

TEST_CASE("a writer waits for a lock no longer than it was told, and loses nothing", "[store]") {
  const TemporaryFolder folder;
  make_study(folder / "study.db");
  StudyStore writer(folder / "study.db", OpenMode::kWrite, {Durability::kProcess, Milliseconds(50)});
  SQLite::Database intruder(folder / "study.db", SQLite::OPEN_READWRITE);
  intruder.exec("BEGIN IMMEDIATE");
  CHECK(code_of([&] { writer.insert_trial(trial_row(1)); }) == ExitCode::kConflict);
  intruder.exec("COMMIT");
  writer.insert_trial(trial_row(1));
  CHECK(writer.trial_count() == 1);
}

TEST_CASE("a checkpoint waits for no reader", "[store]") {
  const TemporaryFolder folder;
  // Longer than a test may take: one that waits does not end.
  StudyStore writer(folder / "study.db", OpenMode::kCreate, {Durability::kProcess, std::chrono::hours(1)});
  writer.create_study(study_row());
  writer.insert_trial(trial_row(1));
  SQLite::Database reader(folder / "study.db", SQLite::OPEN_READONLY);
  reader.exec("BEGIN");
  CHECK(reader.execAndGet("SELECT count(*) FROM trials").getInt() == 1);
  writer.insert_trial(trial_row(2));
  writer.checkpoint_wal();
  CHECK(reader.execAndGet("SELECT count(*) FROM trials").getInt() == 1);
  reader.exec("COMMIT");
  writer.checkpoint_wal();
  CHECK(reader.execAndGet("SELECT count(*) FROM trials").getInt() == 2);
}

TEST_CASE("two writers and eight readers at once lose no event and fail none", "[store]") {
  const TemporaryFolder folder;
  make_study(folder / "study.db");
  constexpr int kEvents = 300;
  std::atomic<int> failures{0};
  std::atomic<bool> done{false};
  const auto guarded = [&](auto&& work) {
    try {
      work();
    } catch (const std::exception&) {
      ++failures;
    }
  };
  std::vector<std::thread> writers, readers;
  for (int w = 0; w < 2; ++w)
    writers.emplace_back([&] {
      guarded([&] {
        StudyStore store(folder / "study.db", OpenMode::kWrite, {Durability::kProcess, Milliseconds(60'000)});
        for (int i = 0; i < kEvents; ++i) store.append_event(event_row("notice"));
      });
    });
  for (int r = 0; r < 8; ++r)
    readers.emplace_back([&] {
      guarded([&] {
        const StudyStore store(folder / "study.db", OpenMode::kRead);
        while (!done) store.events(0, 10);
      });
    });
  for (auto& thread : writers) thread.join();
  done = true;
  for (auto& thread : readers) thread.join();
  CHECK(failures == 0);
  const StudyStore store(folder / "study.db", OpenMode::kRead);
  const auto events = store.events(0, 10'000);
  REQUIRE(events.size() == 2 * kEvents);
  for (std::size_t i = 0; i < events.size(); ++i) CHECK(events[i].id == static_cast<std::int64_t>(i) + 1);
}

// Appends events until it is killed, and acknowledges each on the pipe after its commit.
[[noreturn]] void write_until_killed(const fs::path& file, int acknowledgements) {
  StudyStore store(file, OpenMode::kWrite);
  for (;;) {
    StudyStore::Transaction transaction(store);
    const int number = store.trial_count() + 1;
    store.insert_trial(trial_row(number));
    store.update_trial(completed(trial_row(number), number));
    store.insert_metrics({metric_row(number, "loss", 1, number)});
    store.append_event(event_row("trial_finished", number));
    transaction.commit();
    if (::write(acknowledgements, &number, sizeof number) != sizeof number) ::_exit(1);
    if (number % 50 == 0) store.checkpoint_wal();
  }
}

TEST_CASE("a writer that is killed again and again loses no acknowledged commit", "[store]") {
  const TemporaryFolder folder;
  const fs::path file = folder / "study.db";
  make_study(file);
  std::mt19937 random(7);
  int acknowledged = 0;
  for (int round = 0; round < 40; ++round) {
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(pipe_ends[0]);
      write_until_killed(file, pipe_ends[1]);
    }
    ::close(pipe_ends[1]);
    const int commits = static_cast<int>(random() % 60);
    int number = 0;
    for (int i = 0; i < commits; ++i) {
      REQUIRE(::read(pipe_ends[0], &number, sizeof number) == sizeof number);
      acknowledged = number;
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe_ends[0], &number, sizeof number) == sizeof number) acknowledged = number;
    ::close(pipe_ends[0]);

    // The reader comes first: what the WAL still holds must be readable without a writer.
    const StudyStore reader(file, OpenMode::kRead);
    REQUIRE(reader.integrity() == "ok");
    const int kept = reader.trial_count();
    REQUIRE(kept >= acknowledged);
    REQUIRE(kept <= acknowledged + 1);  // a commit may be killed before its acknowledgement
    REQUIRE(reader.events(0, 1'000'000).size() == static_cast<std::size_t>(kept));
    for (int trial = 1; trial <= reader.trial_count(); ++trial)
      for (const MetricPoint& point : reader.curve(trial, "loss")) REQUIRE(point.value == trial);
  }
  CHECK(acknowledged > 0);
}

TEST_CASE("a disk that is full costs nothing that was committed, and writing goes on when there is room",
          "[store]") {
  const TemporaryFolder folder;
  const fs::path file = folder / "study.db";
  make_study(file);
  // In a child, since the limit of a file's size stands for the full disk and concerns the whole process.
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    StudyStore store(file, OpenMode::kWrite);
    const rlimit full = {64 * 1024, RLIM_INFINITY}, roomy = {RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &full);
    ExitCode code = ExitCode::kOk;
    int committed = 0;
    while (code == ExitCode::kOk && committed < 10'000) {
      code = code_of([&] {
        StudyStore::Transaction transaction(store);
        store.insert_trial(trial_row(committed + 1));
        store.append_event(event_row("trial_queued", committed + 1));
        transaction.commit();
      });
      committed += code == ExitCode::kOk;
    }
    ::setrlimit(RLIMIT_FSIZE, &roomy);
    const bool kept = code == ExitCode::kEnvironment && committed > 0 && store.trial_count() == committed;
    store.insert_trial(trial_row(committed + 1));
    const bool goes_on = store.trial_count() == committed + 1 &&
                         store.events(0, 100'000).size() == static_cast<std::size_t>(committed);
    ::_exit(kept && goes_on && store.integrity() == "ok" ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("power-safe commits can be asked for, for the whole store or one transaction", "[store]") {
  const TemporaryFolder folder;
  make_study(folder / "study.db");
  StudyStore store(folder / "study.db", OpenMode::kWrite, {Durability::kPower, Milliseconds(5000)});
  store.insert_trial(trial_row(1));
  StudyStore lax(folder / "study.db", OpenMode::kWrite);
  {
    StudyStore::Transaction transaction(lax, Durability::kPower);
    lax.update_trial(completed(trial_row(1), 1));
    transaction.commit();
  }
  { const StudyStore::Transaction given_up(lax, Durability::kPower); }
  lax.insert_trial(trial_row(2));
  CHECK(store.trial_count() == 2);
}

TEST_CASE("ten thousand trials are loaded with all their points", "[store]") {
  StudyStore store(":memory:", OpenMode::kCreate);
  store.create_study(study_row());
  StudyStore::Transaction transaction(store);
  for (int number = 1; number <= 10'000; ++number) {
    store.insert_trial(trial_row(number));
    store.insert_metrics(
        {metric_row(number, "validation:mAP", 1, 0.1), metric_row(number, "validation:mAP", 2, 0.2)});
    store.update_trial(completed(trial_row(number), 0.2));
  }
  transaction.commit();
  const History history = store.load_history();
  REQUIRE(history.trials.size() == 10'000);
  for (const auto& trial : history.trials) REQUIRE(trial->curve.size() == 2);
}

TEST_CASE("the linked SQLite says whether two checkpointing connections are dangerous", "[store]") {
  const SqliteFacts facts = sqlite_facts();
  CHECK(facts.version.starts_with("3."));
  const bool old = facts.version.starts_with("3.40.") || facts.version.starts_with("3.45.");
  if (old) CHECK(facts.wal_reset_bug);
}

}  // namespace
}  // namespace tune::store

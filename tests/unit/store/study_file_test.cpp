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

void make_study(const fs::path& file) { StudyStore(file, OpenMode::kCreate).create_study(study_row()); }

TEST_CASE("a study that is not there is not found, and a second one is not written over the first",
          "[store]") {
  const TemporaryFolder folder;
  CHECK(code_of([&] { StudyStore(folder / "study.db", OpenMode::kRead); }) == ExitCode::kNotFound);
  CHECK(code_of([&] { StudyStore(folder / "study.db", OpenMode::kWrite); }) == ExitCode::kNotFound);
  make_study(folder / "study.db");
  CHECK(code_of([&] { StudyStore(folder / "study.db", OpenMode::kCreate); }) == ExitCode::kConflict);
}

TEST_CASE("a damaged cell is an error of the environment that names the file", "[store]") {
  const TemporaryFolder folder;
  const fs::path file = folder / "study.db";
  const auto [sql, read] = GENERATE(table<std::string, std::function<void(StudyStore&)>>(
      {{"UPDATE trials SET parameters = '{\"x\": 0.'", [](StudyStore& store) { store.trials(); }},
       {"UPDATE trials SET parameters = '[1]'", [](StudyStore& store) { store.load_history(); }},
       {"UPDATE trials SET objective_values = '[\"much\"]'", [](StudyStore& store) { store.trial(1); }},
       {"UPDATE study SET facts = ''", [](StudyStore& store) { store.study(); }},
       {"INSERT INTO events VALUES (1, 0, 'notice', 0, 0, 'nothing')",
        [](StudyStore& store) { store.events(); }}}));
  CAPTURE(sql);
  {
    StudyStore store(file, OpenMode::kCreate);
    store.create_study(study_row());
    store.insert_trial(trial_row(1));
  }
  SQLite::Database(file.string(), SQLite::OPEN_READWRITE).exec(sql);
  StudyStore store(file, OpenMode::kRead);
  CHECK(code_of([&] { read(store); }) == ExitCode::kEnvironment);
  CHECK(message_of([&] { read(store); }).find(file.string()) != std::string::npos);
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

bool is_damage(const std::function<void()>& action) {
  try {
    action();
  } catch (const DamagedFile& error) {
    return error.code() == ExitCode::kEnvironment && !error.hint().empty();
  } catch (const std::exception&) {
    return false;
  }
  return false;
}

// With the objective in its spec, too, as every spec has it.
StudyRow searching_row() {
  StudyRow row = study_row();
  row.spec["objective"] = {{"metric", row.objective.metric}, {"goal", "maximize"}};
  return row;
}

TEST_CASE("whatever a cell holds that tune never writes there is damage, and the file is to be restored",
          "[store]") {
  const TemporaryFolder folder;
  const fs::path file = folder / (study_row().name + "/study.db");
  fs::create_directories(file.parent_path());
  using Read = std::function<void(StudyStore&)>;
  const Read study = [](StudyStore& store) { store.study(); };
  const Read trials = [](StudyStore& store) { store.trials(); };
  const Read attempts = [](StudyStore& store) { store.attempts(); };
  const Read history = [](StudyStore& store) { store.load_history(); };
  const Read earlier = [](StudyStore& store) { store.earlier_trials(); };
  const Read events = [](StudyStore& store) { store.events(); };
  const auto [sql, read] = GENERATE_COPY(
      table<std::string, Read>({{"UPDATE study SET spec = '7'", study},
                                {"UPDATE study SET id = 2", study},
                                {"UPDATE study SET goal = 'up'", study},
                                {"UPDATE study SET reduce = 'mean'", study},
                                {"UPDATE study SET goal = 'minimize'", study},
                                {"UPDATE study SET metric = 'loss'", study},
                                {"UPDATE study SET metric = char(27) || '[31m'", study},
                                {"UPDATE study SET reduce = 'last'", study},
                                {"UPDATE study SET folder = ''", study},
                                {"UPDATE study SET folder = 'specs'", study},
                                {"UPDATE study SET spec = spec || char(0) || '{}'", study},
                                {"UPDATE study SET spec = '{\"objective\":7}'", study},
                                {"UPDATE study SET state = 'ended'", study},
                                {"UPDATE study SET facts = '[]'", study},
                                {"UPDATE study SET facts = '{\"precision\":16}'", study},
                                {"UPDATE study SET facts = '{\"runs\":[{}]}'", study},
                                {"UPDATE study SET facts = '{\"promotion\":{\"promoted\":1}}'", study},
                                {"UPDATE study SET elapsed_seconds = -1", study},
                                {"UPDATE study SET elapsed_seconds = 9e999", study},
                                {"UPDATE study SET created_ms = 9223372036854775807", study},
                                {"UPDATE trials SET parameters = 'lr=1'", trials},
                                {"UPDATE trials SET parameters = '3'", trials},
                                {"UPDATE trials SET state = 'done'", trials},
                                {"UPDATE trials SET budget = 0", trials},
                                {"UPDATE trials SET budget = 1.5", history},
                                {"UPDATE trials SET objective_values = '0.5'", trials},
                                {"UPDATE trials SET attempts = -1", trials},
                                {"UPDATE trials SET attempts = 4294967297", trials},
                                {"UPDATE trials SET started_ms = -1", trials},
                                {"UPDATE trials SET number = 3", history},
                                {"UPDATE trials SET number = 0", trials},
                                {"UPDATE trials SET number = 0", history},
                                {"UPDATE trials SET number = 1000000", trials},
                                {"UPDATE trials SET state = 'completed'", trials},
                                {"UPDATE trials SET state = 'completed'", history},
                                {"UPDATE trials SET objective_values = '[1,2]'", trials},
                                {"UPDATE trials SET objective_values = '[1,2,3]'", history},
                                {"UPDATE attempts SET state = 'gone'", attempts},
                                {"UPDATE attempts SET stop = 'whim'", attempts},
                                {"UPDATE attempts SET metrics_offset = -1", attempts},
                                {"UPDATE attempts SET max_rss_bytes = -1", attempts},
                                {"UPDATE attempts SET lease_seconds = -0.5", attempts},
                                {"UPDATE attempts SET cpu_seconds = 1e300", attempts},
                                {"UPDATE attempts SET devices = '{}'", attempts},
                                {"UPDATE attempts SET devices = '[1]'", attempts},
                                {"UPDATE attempts SET threads = -1", attempts},
                                {"UPDATE attempts SET exit_code = 4294967296", attempts},
                                {"UPDATE metrics SET trial = 9", history},
                                {"UPDATE metrics SET trial = -1", history},
                                {"UPDATE metrics SET value = 'much'", history},
                                {"UPDATE earlier_trials SET kind = 'like'", earlier},
                                {"UPDATE earlier_trials SET parameters = '[]'", earlier},
                                {"INSERT INTO events VALUES (1, 0, 'notice', 0, 0, '[]')", events}}));
  CAPTURE(sql);
  {
    StudyStore store(file, OpenMode::kCreate);
    store.create_study(searching_row());
    store.insert_trial(trial_row(1));
    store.insert_attempt(attempt_row(1, 1));
    store.insert_metrics({metric_row(1, study_row().objective.metric, 1, 0.5)});
    TrialView view;
    view.number = 1;
    view.state = TrialState::kCompleted;
    store.replace_earlier_trials({{"s", WarmStart::kIdentical, std::make_shared<const TrialView>(view)}});
    read(store);
  }
  // What a careless hand can do.
  SQLite::Database(file.string(), SQLite::OPEN_READWRITE)
      .exec("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; " + sql);
  StudyStore store(file, OpenMode::kRead);
  CHECK(is_damage([&] { read(store); }));
}

TEST_CASE("an empty cell where tune always writes is damage, however it came there", "[store]") {
  const TemporaryFolder folder;
  const fs::path file = folder / "study.db";
  using Read = std::function<void(StudyStore&)>;
  const auto [place, column, read] = GENERATE(table<std::string, std::string, Read>(
      {{"attempts", "cpu_seconds REAL", [](StudyStore& store) { store.attempts(); }},
       {"attempts", "max_rss_bytes INTEGER", [](StudyStore& store) { store.attempts(); }},
       {"study", "elapsed_seconds REAL", [](StudyStore& store) { store.study(); }},
       {"study", "folder TEXT", [](StudyStore& store) { store.study(); }},
       {"trials", "note TEXT", [](StudyStore& store) { store.trials(); }},
       {"metrics", "attempt INTEGER", [](StudyStore& store) { store.metrics(1); }},
       {"events", "time_ms INTEGER", [](StudyStore& store) { store.events(); }}}));
  CAPTURE(place, column);
  {
    StudyStore store(file, OpenMode::kCreate);
    store.create_study(study_row());
    store.insert_trial(trial_row(1));
    store.insert_attempt(attempt_row(1, 1));
    store.insert_metrics({metric_row(1, "loss", 1, 0.5)});
    store.append_event(event_row("notice"));
  }
  const std::string name = column.substr(0, column.find(' '));
  const auto say = [&](const std::string& before, const std::string& after) {
    SQLite::Database(file.string(), SQLite::OPEN_READWRITE)
        .exec("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '" + before + "', '" +
              after + "') WHERE name = '" + place + "'");
  };
  say(column + " NOT NULL", column);
  CHECK(message_of([&] {
          StudyStore(file, OpenMode::kRead);
        }).find("the column " + name + " of the table " + place + " may be empty") != std::string::npos);
  SQLite::Database(file.string(), SQLite::OPEN_READWRITE)
      .exec("DROP TRIGGER events_never_change; UPDATE " + place + " SET " + name + " = NULL");
  say(column, column + " NOT NULL");
  StudyStore store(file, OpenMode::kRead);
  CHECK(is_damage([&] { read(store); }));
  CHECK(store.integrity() != "ok");
}

TEST_CASE("rows of trials that are not there are found by the check of the whole file", "[store]") {
  const TemporaryFolder folder;
  const fs::path file = folder / "study.db";
  const std::string name = GENERATE("attempts", "metrics");
  {
    StudyStore store(file, OpenMode::kCreate);
    store.create_study(study_row());
    store.insert_trial(trial_row(1));
    store.insert_attempt(attempt_row(1, 1));
    store.insert_metrics({metric_row(1, "loss", 1, 0.5)});
    CHECK(store.integrity() == "ok");
  }
  SQLite::Database(file.string(), SQLite::OPEN_READWRITE)
      .exec("PRAGMA foreign_keys = OFF; UPDATE " + name + " SET trial = 7");
  CHECK(StudyStore(file, OpenMode::kRead).integrity() ==
        "a row of its table " + name + " belongs to a row of trials that is not there");
}

TEST_CASE("a row that cannot be written beside damage is damage, not a bug", "[store]") {
  const TemporaryFolder folder;
  const fs::path file = folder / "study.db";
  StudyStore store(file, OpenMode::kCreate);
  store.create_study(study_row());
  store.insert_trial(trial_row(1));
  store.append_event(event_row("notice"));
  SQLite::Database other(file.string(), SQLite::OPEN_READWRITE);
  other.exec("DROP TRIGGER events_never_change; UPDATE events SET id = 9223372036854775807");
  CHECK(is_damage([&] { store.append_event(event_row("notice")); }));
}

TEST_CASE("a study whose row is gone while its trials are there is damaged, and is not made anew",
          "[store]") {
  const TemporaryFolder folder;
  const fs::path file = folder / "study.db";
  {
    StudyStore store(file, OpenMode::kCreate);
    store.create_study(study_row());
    store.insert_trial(trial_row(1));
  }
  SQLite::Database(file.string(), SQLite::OPEN_READWRITE).exec("DELETE FROM study");
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite, OpenMode::kCreate}) {
    CHECK(is_damage([&] { StudyStore(file, mode); }));
    CHECK(message_of([&] { StudyStore(file, mode); }).find("its table study is empty") != std::string::npos);
  }
}

TEST_CASE("a database of another shape is a damaged study, which says what is missing, and no bug",
          "[store]") {
  const TemporaryFolder folder;
  const fs::path file = folder / "study.db";
  const auto [sql, part] = GENERATE(table<std::string, std::string>(
      {{"DROP TABLE metrics", "the table metrics is missing"},
       {"DROP TRIGGER events_are_never_deleted; DROP TRIGGER events_never_change; ALTER TABLE events RENAME "
        "TO old",
        "the table events is missing"},
       {"ALTER TABLE trials RENAME COLUMN note TO remark", "the table trials has no column note"},
       {"DROP TABLE metric_names; CREATE TABLE metric_names (id INTEGER PRIMARY KEY, name BLOB)",
        "the column name of the table metric_names holds BLOB, not TEXT"}}));
  CAPTURE(sql);
  { StudyStore(file, OpenMode::kCreate).create_study(study_row()); }
  SQLite::Database(file.string(), SQLite::OPEN_READWRITE).exec("PRAGMA foreign_keys = OFF; " + sql);
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
    const auto open = [&] { StudyStore(file, mode); };
    CHECK(code_of(open) == ExitCode::kEnvironment);
    CHECK(message_of(open).find(part) != std::string::npos);
    CHECK(message_of(open).find(file.string()) != std::string::npos);
  }
}

TEST_CASE("a cell of another type is a damaged study, where SQLite would make a number of it", "[store]") {
  const TemporaryFolder folder;
  const fs::path file = folder / "study.db";
  {
    StudyStore store(file, OpenMode::kCreate);
    store.create_study(study_row());
    store.insert_trial(trial_row(1));
  }
  SQLite::Database database(file.string(), SQLite::OPEN_READWRITE);
  // As a program that copies databases makes them: the same names and types, without STRICT.
  const auto loosen = [&](const std::string& table) {
    std::string made =
        database.execAndGet("SELECT sql FROM sqlite_schema WHERE name = '" + table + "'").getString();
    made.erase(made.rfind("STRICT"), 6);
    database.exec("CREATE TABLE kept AS SELECT * FROM " + table + "; PRAGMA foreign_keys = OFF; DROP TABLE " +
                  table + "; " + made + "; INSERT INTO " + table + " SELECT * FROM kept; DROP TABLE kept");
  };
  const auto [table, set, read] =
      GENERATE(Catch::Generators::table<std::string, std::string, std::function<void(StudyStore&)>>(
          {{"trials", "attempts = 'many'", [](StudyStore& store) { store.trials(); }},
           {"trials", "started_ms = 'yesterday'", [](StudyStore& store) { store.trial(1); }},
           {"study", "created_ms = 'then'", [](StudyStore& store) { store.study(); }},
           {"study", "limits = '[1]'", [](StudyStore& store) { store.study(); }},
           {"study", "elapsed_seconds = x'00'", [](StudyStore& store) { store.study(); }}}));
  CAPTURE(table, set);
  loosen(table);
  database.exec("UPDATE " + table + " SET " + set);
  StudyStore store(file, OpenMode::kRead);
  CHECK(code_of([&] { read(store); }) == ExitCode::kEnvironment);
  CHECK(message_of([&] { read(store); }).find("is damaged") != std::string::npos);
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

TEST_CASE("what is no database of a study is refused with its name", "[store]") {
  const TemporaryFolder folder;
  std::ofstream(folder / "text.db") << std::string(4096, 'x');
  SQLite::Database(folder / "other.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE t (x)");
  for (const std::string name : {"text.db", "other.db"})
    for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite, OpenMode::kCreate}) {
      CHECK(code_of([&] { StudyStore(folder / name, mode); }) == ExitCode::kEnvironment);
      CHECK(message_of([&] { StudyStore(folder / name, mode); }).find(name) != std::string::npos);
    }
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

// What a database holds that this program never writes there: it is found, named, and to be restored from a
// copy.
#include <SQLiteCpp/SQLiteCpp.h>

#include <fstream>

#include "store/study_store.h"
#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::store {
namespace {

namespace fs = std::filesystem;

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

}  // namespace
}  // namespace tune::store

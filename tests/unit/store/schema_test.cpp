// Migrations, newer files, and the file of version 1 that every later program must read.
#include "store/schema.h"

#include <cmath>
#include <fstream>
#include <sstream>

#include "store/comparison_store.h"
#include "store/model_registry.h"
#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::store {
namespace {

namespace fs = std::filesystem;

constexpr std::int32_t kTestApplication = 0x74657374;

Schema schema_with(int version, std::vector<Migration> migrations) {
  return {kTestApplication, version, "CREATE TABLE things (name TEXT NOT NULL)", std::move(migrations)};
}

// The golden file is kept as SQL text, so that a change of it can be read in a diff.
void restore(const fs::path& sql_file, const fs::path& database) {
  std::ifstream stream(sql_file);
  REQUIRE(stream.good());
  std::ostringstream sql;
  sql << stream.rdbuf();
  SQLite::Database(database, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(sql.str());
}

const fs::path kGolden = fs::path(TUNE_SOURCE_DIR) / "tests/golden/store";

TEST_CASE("migrations run in order, and only those that a file needs", "[schema]") {
  const TemporaryFolder folder;
  Connection connection(folder / "test.db", OpenMode::kCreate, Milliseconds(1000));
  create_tables(connection, schema_with(1, {}));
  connection.execute("INSERT INTO things VALUES ('kept')");
  const std::vector<Migration> migrations = {
      {1, "ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 3"},
      {2, "UPDATE things SET size = size * 2"},
  };
  migrate(connection, schema_with(3, migrations));
  CHECK(schema_version(connection, schema_with(3, {})) == 3);
  CHECK(connection.text("SELECT name || size FROM things") == "kept6");
  migrate(connection, schema_with(3, migrations));
  CHECK(connection.text("SELECT size FROM things") == "6");
}

TEST_CASE("a migration that fails leaves the file as it was", "[schema]") {
  const TemporaryFolder folder;
  Connection connection(folder / "test.db", OpenMode::kCreate, Milliseconds(1000));
  create_tables(connection, schema_with(1, {}));
  const Schema broken =
      schema_with(3, {{1, "ALTER TABLE things ADD COLUMN size INTEGER"}, {2, "no SQL at all"}});
  CHECK(code_of([&] { migrate(connection, broken); }) == ExitCode::kInternal);
  CHECK(schema_version(connection, broken) == 1);
  CHECK(connection.text("SELECT count(*) FROM pragma_table_info('things')") == "1");
}

TEST_CASE("a newer file is refused by writers and readers, an older one by readers", "[schema]") {
  const TemporaryFolder folder;
  Connection connection(folder / "test.db", OpenMode::kCreate, Milliseconds(1000));
  create_tables(connection, schema_with(2, {}));
  CHECK(code_of([&] { migrate(connection, schema_with(1, {})); }) == ExitCode::kEnvironment);
  CHECK(code_of([&] { require_newest(connection, schema_with(1, {})); }) == ExitCode::kEnvironment);
  CHECK(code_of([&] { require_newest(connection, schema_with(3, {})); }) == ExitCode::kEnvironment);
  require_newest(connection, schema_with(2, {}));
}

TEST_CASE("a study written by a newer tune is refused, and the message says what to do", "[schema]") {
  const TemporaryFolder folder;
  StudyStore(folder / "study.db", OpenMode::kCreate).create_study(study_row());
  SQLite::Database(folder / "study.db", SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite, OpenMode::kCreate}) {
    CHECK(code_of([&] { StudyStore(folder / "study.db", mode); }) == ExitCode::kEnvironment);
    const std::string message = message_of([&] { StudyStore(folder / "study.db", mode); });
    CHECK(message.find("newer tune (schema 99") != std::string::npos);
  }
}

TEST_CASE("the study of version 1 is read, and continues", "[schema]") {
  const TemporaryFolder folder;
  restore(kGolden / "study_v1.sql", folder / "study.db");
  StudyStore store(folder / "study.db", OpenMode::kWrite);
  CHECK(store.integrity() == "ok");
  const StudyRow study = store.study();
  CHECK(study.name == "steel-legacy");
  CHECK(study.seed == 0xFFFF'FFFF'FFFF'FFF7u);
  CHECK(study.objective.goal == Goal::kMaximize);
  CHECK(study.spec.at("limits").at("trials") == 8);
  const History history = store.load_history();
  REQUIRE(history.trials.size() == 4);
  CHECK(history.earlier == nullptr);
  CHECK(history.best()->number == 1);
  CHECK(history.best()->values == std::vector<double>{0.4125});
  CHECK(history.trials[0]->parameters.at("optimizer") == "sgd");
  CHECK(history.trials[1]->state == TrialState::kFailed);
  CHECK(history.trials[1]->failure == "non_finite");
  CHECK(std::isnan(history.trials[1]->curve.at(0).value));
  CHECK(std::isinf(history.trials[1]->curve.at(1).value));
  CHECK(history.trials[2]->state == TrialState::kStopped);
  CHECK(history.trials[3]->state == TrialState::kRunning);
  const auto attempts = store.attempts(4);
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].state == AttemptState::kLost);
  CHECK(attempts[1].devices == std::vector<std::string>{"GPU-1"});
  CHECK(store.events().size() == 3);

  CHECK(store.append_event(event_row("study_started")) == 4);
  store.update_trial(completed(store.trial(4).value(), 0.5));
  store.insert_trial(trial_row(5));
  CHECK(store.load_history().best()->number == 4);
  CHECK(code_of([&] { store.update_trial(completed(trial_row(1), 0.9)); }) == ExitCode::kInternal);
}

TEST_CASE("the study of version 2 is migrated, and its finished trials may run again", "[schema]") {
  const TemporaryFolder folder;
  restore(kGolden / "study_v2.sql", folder / "study.db");
  CHECK(message_of([&] { StudyStore(folder / "study.db", OpenMode::kRead); }).find("older tune") !=
        std::string::npos);
  StudyStore store(folder / "study.db", OpenMode::kWrite);
  CHECK(store.integrity() == "ok");
  TrialRow again = store.trial(2).value();
  CHECK(again.cut.empty());
  again.state = TrialState::kQueued;
  CHECK(code_of([&] { store.update_trial(again); }) == ExitCode::kInternal);
  store.change_finished_trial(again, event_row("trial_reopened"));
  CHECK(store.trial(2)->state == TrialState::kQueued);
}

TEST_CASE("the study of version 3 is read with what it learned from another", "[schema]") {
  const TemporaryFolder folder;
  restore(kGolden / "study_v3.sql", folder / "study.db");
  const StudyStore store(folder / "study.db", OpenMode::kWrite);
  CHECK(store.integrity() == "ok");
  CHECK(store.trial(1)->facts == TrialFacts{});
  CHECK(store.attempts(1).at(0).facts == AttemptFacts{});
  CHECK(store.trial(1)->cut == "trial_time");
  CHECK(store.events().back().data.at("before").at("failure") == "non_finite");
  const History history = store.load_history();
  CHECK(history.trials.size() == 4);
  REQUIRE(history.earlier != nullptr);
  REQUIRE(history.earlier->size() == 2);
  CHECK(history.earlier->at(0).study == "steel-2023");
  CHECK(history.earlier->at(0).trial->values == std::vector<double>{0.5});
  CHECK(history.earlier->at(1).trial->failure == "oom");
}

TEST_CASE("the study of version 4 is read with what it says of trials and attempts", "[schema]") {
  const TemporaryFolder folder;
  restore(kGolden / "study_v4.sql", folder / "study.db");
  const StudyStore store(folder / "study.db", OpenMode::kRead);
  CHECK(store.trial(1)->facts == TrialFacts{});
  CHECK(store.trial(2)->facts.replicate_of == 1);
  const AttemptFacts facts = store.attempts(1).at(0).facts;
  CHECK(facts.peak_device_memory == std::uint64_t{1} << 30);
  CHECK(facts.overrides == Json{{"batch_size", 4}});
}

TEST_CASE("registries of every version are read, and continue", "[schema]") {
  const int version = GENERATE(1, 2);
  CAPTURE(version);
  const TemporaryFolder folder;
  restore(kGolden / ("registry_v" + std::to_string(version) + ".sql"), folder / "registry.db");
  if (version < kRegistrySchemaVersion)
    CHECK(message_of([&] {
            ModelRegistry(folder / "registry.db", OpenMode::kRead);
          }).find("was written by an older tune") != std::string::npos);
  ModelRegistry registry(folder / "registry.db", OpenMode::kWrite);
  CHECK(registry.models() == std::vector<std::string>{"steel-detector"});
  const ModelVersion current = registry.current("steel-detector").value();
  CHECK(current.version == 1);
  CHECK(current.value == 0.4125);
  CHECK(current.files.at(0).path == "labels.json");
  const Promotion first = registry.promotions("steel-detector").at(0);
  CHECK(first.alias == "current");
  CHECK(first.outcome == PromotionOutcome::kMoved);
  CHECK(first.who.empty());
  ModelVersion next = current;
  next.version = registry.next_version("steel-detector");
  CHECK(next.version == (version == 1 ? 2 : 4));  // a number that was deleted is not given again
  registry.insert_version(next);
  registry.promote({"steel-detector", 1, next.version, "better", Json::object(), at(0)});
  CHECK(registry.promotions("steel-detector").size() == (version == 1 ? 2 : 5));
  CHECK(registry.current("steel-detector")->version == next.version);
}

TEST_CASE("the registry of version 2 is read with its aliases, its log and what was said", "[schema]") {
  const TemporaryFolder folder;
  restore(kGolden / "registry_v2.sql", folder / "registry.db");
  const ModelRegistry registry(folder / "registry.db", OpenMode::kRead);
  const auto versions = registry.versions("steel-detector");
  REQUIRE(versions.size() == 2);  // the third was deleted
  CHECK(versions[0].approval == Approval::kApproved);
  CHECK(versions[1].approval == Approval::kPending);
  CHECK(registry.deleted_versions("steel-detector") == std::vector<int>{3});
  CHECK(registry.alias("steel-detector", "champion") == 2);
  CHECK(registry.aliases("steel-detector").size() == 2);
  const auto log = registry.promotions("steel-detector");
  REQUIRE(log.size() == 4);
  CHECK(log[2].outcome == PromotionOutcome::kRefused);
  CHECK(log[3].outcome == PromotionOutcome::kRemoved);
  CHECK(log[3].to == 0);
  CHECK(log[1].who == "ada@host");
  CHECK(registry.remarks("steel-detector").at(1).text == "trained on the new line");
}

TEST_CASE("comparisons of every version are read, and continue", "[schema]") {
  const int version = GENERATE(1, 2);
  CAPTURE(version);
  const TemporaryFolder folder;
  restore(kGolden / ("comparison_v" + std::to_string(version) + ".sql"), folder / "comparison.db");
  if (version < kComparisonSchemaVersion)
    CHECK(message_of([&] {
            ComparisonStore(folder / "comparison.db", OpenMode::kRead);
          }).find("was written by an older tune") != std::string::npos);
  ComparisonStore record(folder / "comparison.db", OpenMode::kWrite);
  CHECK(record.comparison().value().name == "steel");
  CHECK(record.comparison().value().facts.at("weights").at("legacy") == "");
  REQUIRE(record.models().size() == 2);
  CHECK(record.models()[0].validation == 0.25);
  REQUIRE(record.scorings().size() == 1);
  CHECK(record.scorings()[0].result.at("images") == 120);
  REQUIRE(record.predictions(1).size() == 2);
  CHECK(record.predictions(1)[1].seconds == 1.25);
  CHECK(record.predictions(1)[0].facts == (version == 1 ? Json::object() : Json{{"parameters", 28300000}}));
  CHECK(record.begin_scoring(at(0)) == 2);
  record.insert_prediction(2, {1, "ee", 1, {{"latency_ms", 4.5}}});
  CHECK(record.predictions(2)[0].facts.at("latency_ms") == 4.5);
}

}  // namespace
}  // namespace tune::store

#include "store/schema.h"

#include "store/comparison_store.h"
#include "store/model_registry.h"
#include "store/study_store.h"
#include "store/write_transaction.h"
#include "tuner/core/error.h"

namespace tune::store {
namespace {

// Since version 2. A macro, so that literals can hold it: for new files, and for older ones.
#define EARLIER_TRIALS_TABLE                                                   \
  "CREATE TABLE earlier_trials ("                                              \
  "  id INTEGER PRIMARY KEY,"                                                  \
  "  study TEXT NOT NULL,"                                                     \
  "  kind TEXT NOT NULL CHECK (kind IN ('identical', 'transfer')),"            \
  "  number INTEGER NOT NULL,"                                                 \
  "  parameters TEXT NOT NULL,"                                                \
  "  state TEXT NOT NULL CHECK (state IN ('completed', 'stopped', 'failed'))," \
  "  budget REAL NOT NULL,"                                                    \
  "  failure TEXT NOT NULL,"                                                   \
  "  objective_values TEXT NOT NULL,"                                          \
  "  UNIQUE (study, number)) STRICT;"

// A finished trial changes only by an event that keeps what it was, and only while that is the last event: a
// trial is run again, its log was read again, or a person has deleted it (since version 4), and nothing of
// what its row said before is lost.
#define FINISHED_TRIALS_TRIGGER                                                           \
  "CREATE TRIGGER finished_trials_never_change BEFORE UPDATE ON trials"                   \
  " WHEN OLD.state IN ('completed', 'stopped', 'failed') AND NOT EXISTS ("                \
  "  SELECT 1 FROM events WHERE id = (SELECT max(id) FROM events) AND trial = OLD.number" \
  "  AND kind IN ('trial_reopened', 'trial_rescanned', 'trial_deleted')"                  \
  "  AND json_extract(data, '$.before.state') = OLD.state"                                \
  "  AND json_extract(data, '$.before.values') = json(OLD.objective_values))"             \
  " BEGIN SELECT RAISE(ABORT, 'a finished trial never changes'); END;"

// Times are UTC milliseconds. A column ANY holds a REAL, or one of the texts 'NaN', 'Infinity', '-Infinity'.
constexpr const char* kStudyTables = R"sql(
CREATE TABLE study (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL,
  spec TEXT NOT NULL,
  spec_text TEXT NOT NULL,
  folder TEXT NOT NULL,
  seed INTEGER NOT NULL,
  metric TEXT NOT NULL,
  goal TEXT NOT NULL CHECK (goal IN ('minimize', 'maximize')),
  reduce TEXT NOT NULL CHECK (reduce IN ('last', 'best', 'min', 'max')),
  limits TEXT NOT NULL,
  state TEXT NOT NULL,
  finish_reason TEXT NOT NULL,
  elapsed_seconds REAL NOT NULL,
  facts TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE trials (
  number INTEGER PRIMARY KEY CHECK (number >= 1),
  parameters TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'completed', 'stopped', 'failed')),
  budget REAL NOT NULL,
  note TEXT NOT NULL,
  reason TEXT NOT NULL,
  failure TEXT NOT NULL,
  objective_values TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  started_ms INTEGER,
  ended_ms INTEGER,
  cut TEXT NOT NULL DEFAULT '',
  facts TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE TRIGGER trials_are_never_deleted BEFORE DELETE ON trials
BEGIN SELECT RAISE(ABORT, 'trials are never deleted'); END;
CREATE TABLE attempts (
  trial INTEGER NOT NULL REFERENCES trials (number),
  attempt INTEGER NOT NULL CHECK (attempt >= 1),
  token TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('starting', 'running', 'exited', 'lost')),
  supervisor_pid INTEGER NOT NULL,
  supervisor_start_time INTEGER NOT NULL,
  boot_id TEXT NOT NULL,
  devices TEXT NOT NULL,
  threads INTEGER NOT NULL,
  metrics_offset INTEGER NOT NULL,
  exit_code INTEGER,
  signal INTEGER,
  stop TEXT NOT NULL,
  reason TEXT NOT NULL,
  lease_seconds REAL NOT NULL,
  cpu_seconds REAL NOT NULL,
  max_rss_bytes INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  started_ms INTEGER,
  ended_ms INTEGER,
  facts TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (trial, attempt)
) STRICT, WITHOUT ROWID;
CREATE TABLE metric_names (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE metrics (
  metric INTEGER NOT NULL REFERENCES metric_names (id),
  trial INTEGER NOT NULL REFERENCES trials (number),
  step INTEGER NOT NULL,
  value ANY NOT NULL CHECK (typeof(value) = 'real' OR value IN ('NaN', 'Infinity', '-Infinity')),
  attempt INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  PRIMARY KEY (metric, trial, step)
) STRICT, WITHOUT ROWID;
)sql" EARLIER_TRIALS_TABLE R"sql(
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  time_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  trial INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events never change'); END;
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
)sql" FINISHED_TRIALS_TRIGGER;

// Version 1 kept a trial's final values a second time, under "observations", which nothing read.
constexpr const char* kStudyFrom1To2 = "DROP TABLE observations;" EARLIER_TRIALS_TABLE;
constexpr const char* kStudyFrom2To3 =
    "ALTER TABLE trials ADD COLUMN cut TEXT NOT NULL DEFAULT '';"
    "DROP TRIGGER finished_trials_never_change;" FINISHED_TRIALS_TRIGGER;
constexpr const char* kStudyFrom3To4 =
    "ALTER TABLE trials ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';"
    "ALTER TABLE attempts ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';"
    "DROP TRIGGER finished_trials_never_change;" FINISHED_TRIALS_TRIGGER;

// Since version 2 a model has several aliases, of which version 1's table "current" held one, and people say
// something of its versions. The log of promotions tells of each alias.
#define ALIASES_TABLE                                                   \
  "CREATE TABLE aliases ("                                              \
  "  model TEXT NOT NULL,"                                              \
  "  alias TEXT NOT NULL,"                                              \
  "  version INTEGER NOT NULL,"                                         \
  "  PRIMARY KEY (model, alias),"                                       \
  "  FOREIGN KEY (model, version) REFERENCES versions (model, version)" \
  ") STRICT, WITHOUT ROWID;"
#define REMARKS_TABLE                                                                            \
  "CREATE TABLE remarks ("                                                                       \
  "  id INTEGER PRIMARY KEY,"                                                                    \
  "  model TEXT NOT NULL,"                                                                       \
  "  version INTEGER NOT NULL,"                                                                  \
  "  kind TEXT NOT NULL CHECK (kind IN ('note', 'pending', 'approved', 'rejected', 'deleted'))," \
  "  text TEXT NOT NULL,"                                                                        \
  "  who TEXT NOT NULL,"                                                                         \
  "  time_ms INTEGER NOT NULL,"                                                                  \
  "  FOREIGN KEY (model, version) REFERENCES versions (model, version)"                          \
  ") STRICT;"                                                                                    \
  "CREATE INDEX remarks_of_versions ON remarks (model, version);"                                \
  "CREATE TRIGGER remarks_never_change BEFORE UPDATE ON remarks"                                 \
  " BEGIN SELECT RAISE(ABORT, 'what was said of a version never changes'); END;"                 \
  "CREATE TRIGGER remarks_are_never_deleted BEFORE DELETE ON remarks"                            \
  " BEGIN SELECT RAISE(ABORT, 'what was said of a version never changes'); END;"
// `to_version` is 0 where an alias was removed.
#define PROMOTIONS_TABLE(name)                                                  \
  "CREATE TABLE " name                                                          \
  " ("                                                                          \
  "  id INTEGER PRIMARY KEY,"                                                   \
  "  model TEXT NOT NULL,"                                                      \
  "  alias TEXT NOT NULL,"                                                      \
  "  from_version INTEGER NOT NULL,"                                            \
  "  to_version INTEGER NOT NULL,"                                              \
  "  outcome TEXT NOT NULL CHECK (outcome IN ('moved', 'removed', 'refused'))," \
  "  who TEXT NOT NULL,"                                                        \
  "  reason TEXT NOT NULL,"                                                     \
  "  evidence TEXT NOT NULL,"                                                   \
  "  time_ms INTEGER NOT NULL"                                                  \
  ") STRICT;"
#define PROMOTIONS_TRIGGERS                                                 \
  "CREATE TRIGGER promotions_never_change BEFORE UPDATE ON promotions"      \
  " BEGIN SELECT RAISE(ABORT, 'the log of promotions never changes'); END;" \
  "CREATE TRIGGER promotions_are_never_deleted BEFORE DELETE ON promotions" \
  " BEGIN SELECT RAISE(ABORT, 'the log of promotions never changes'); END;"

constexpr const char* kRegistryTables = R"sql(
CREATE TABLE versions (
  model TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version >= 1),
  created_ms INTEGER NOT NULL,
  study TEXT NOT NULL,
  trial INTEGER NOT NULL,
  metric TEXT NOT NULL,
  goal TEXT NOT NULL CHECK (goal IN ('minimize', 'maximize')),
  reduce TEXT NOT NULL CHECK (reduce IN ('last', 'best', 'min', 'max')),
  value ANY NOT NULL CHECK (typeof(value) = 'real' OR value IN ('NaN', 'Infinity', '-Infinity')),
  lineage TEXT NOT NULL,
  PRIMARY KEY (model, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE files (
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  path TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (model, version, path),
  FOREIGN KEY (model, version) REFERENCES versions (model, version)
) STRICT, WITHOUT ROWID;
)sql" ALIASES_TABLE PROMOTIONS_TABLE("promotions") PROMOTIONS_TRIGGERS REMARKS_TABLE R"sql(
CREATE TRIGGER versions_never_change BEFORE UPDATE ON versions
BEGIN SELECT RAISE(ABORT, 'a version never changes'); END;
CREATE TRIGGER files_never_change BEFORE UPDATE ON files
BEGIN SELECT RAISE(ABORT, 'the files of a version never change'); END;
)sql";

constexpr const char* kRegistryFrom1To2 =
    ALIASES_TABLE
    "INSERT INTO aliases SELECT model, 'current', version FROM current;"
    "DROP TABLE current;" PROMOTIONS_TABLE("promotions_of_aliases")
    "INSERT INTO promotions_of_aliases SELECT id, model, 'current', from_version, to_version, 'moved', '', "
    "reason, evidence, time_ms FROM promotions;"
    "DROP TABLE promotions;"
    "ALTER TABLE promotions_of_aliases RENAME TO promotions;" PROMOTIONS_TRIGGERS REMARKS_TABLE;

constexpr const char* kComparisonTables = R"sql(
CREATE TABLE comparison (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL,
  document TEXT NOT NULL,
  document_text TEXT NOT NULL,
  folder TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  facts TEXT NOT NULL
) STRICT;
CREATE TABLE models (
  number INTEGER PRIMARY KEY CHECK (number >= 1),
  approach TEXT NOT NULL,
  role TEXT NOT NULL,
  study TEXT NOT NULL,
  trial INTEGER NOT NULL,
  validation REAL NOT NULL,
  folder TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  UNIQUE (study, trial)
) STRICT;
CREATE TABLE scorings (
  number INTEGER PRIMARY KEY CHECK (number >= 1),
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  result TEXT NOT NULL
) STRICT;
CREATE TABLE predictions (
  scoring INTEGER NOT NULL REFERENCES scorings (number),
  model INTEGER NOT NULL REFERENCES models (number),
  sha256 TEXT NOT NULL,
  seconds REAL NOT NULL,
  facts TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (scoring, model)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER frozen_models_never_change BEFORE UPDATE ON models
BEGIN SELECT RAISE(ABORT, 'a frozen model never changes'); END;
CREATE TRIGGER frozen_models_are_never_deleted BEFORE DELETE ON models
BEGIN SELECT RAISE(ABORT, 'a frozen model never changes'); END;
CREATE TRIGGER ended_scorings_never_change BEFORE UPDATE ON scorings WHEN OLD.ended_ms IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a scoring never changes'); END;
CREATE TRIGGER scorings_are_never_deleted BEFORE DELETE ON scorings
BEGIN SELECT RAISE(ABORT, 'scorings are counted'); END;
)sql";

constexpr const char* kComparisonFrom1To2 =
    "ALTER TABLE predictions ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';";

void set_version(Connection& connection, int version) {
  connection.execute("PRAGMA user_version = " + std::to_string(version));
}

[[noreturn]] void refuse_newer(const Connection& connection, int version, const Schema& schema) {
  throw Error(ExitCode::kEnvironment,
              connection.name() + " was written by a newer tune (schema " + std::to_string(version) +
                  "; this program knows up to " + std::to_string(schema.version) + ")",
              "use the newer tune for it");
}

}  // namespace

const Schema& study_schema() {
  static const Schema schema = {0x74756E73,  // "tuns"
                                kStudySchemaVersion,
                                kStudyTables,
                                {{1, kStudyFrom1To2}, {2, kStudyFrom2To3}, {3, kStudyFrom3To4}},
                                "tune resume"};
  return schema;
}

const Schema& registry_schema() {
  static const Schema schema = {0x74756E6D,
                                kRegistrySchemaVersion,
                                kRegistryTables,
                                {{1, kRegistryFrom1To2}},
                                "tune models gc"};  // "tunm"
  return schema;
}

const Schema& comparison_schema() {
  static const Schema schema = {0x74756E63,
                                kComparisonSchemaVersion,
                                kComparisonTables,
                                {{1, kComparisonFrom1To2}},
                                "tune compare"};  // "tunc"
  return schema;
}

int schema_version(Connection& connection, const Schema& schema) {
  // First, since another process may create the tables in between: who sees them sees whose they are.
  const bool is_empty = connection.text("SELECT count(*) FROM sqlite_schema") == "0";
  const std::string application = connection.text("PRAGMA application_id");
  if (application == std::to_string(schema.application_id))
    return std::stoi(connection.text("PRAGMA user_version"));
  if (application == "0" && is_empty) return 0;
  throw Error(ExitCode::kEnvironment, connection.name() + " is a database of another program",
              "move it away, or name another store with --store");
}

void create_tables(Connection& connection, const Schema& schema) {
  WriteTransaction transaction(connection);
  if (schema_version(connection, schema) != 0) return;
  connection.execute(schema.tables);
  connection.execute("PRAGMA application_id = " + std::to_string(schema.application_id));
  set_version(connection, schema.version);
  transaction.commit();
}

void migrate(Connection& connection, const Schema& schema) {
  if (schema_version(connection, schema) == schema.version) return;
  WriteTransaction transaction(connection);
  int version = schema_version(connection, schema);
  if (version > schema.version) refuse_newer(connection, version, schema);
  for (const Migration& migration : schema.migrations) {
    if (migration.from != version) continue;
    connection.execute(migration.sql);
    set_version(connection, ++version);
  }
  TUNE_CHECK(version == schema.version,
             connection.name() + ": no way from schema " + std::to_string(version));
  transaction.commit();
}

void require_newest(Connection& connection, const Schema& schema) {
  const int version = schema_version(connection, schema);
  if (version > schema.version) refuse_newer(connection, version, schema);
  if (version == 0)
    throw Error(ExitCode::kNotFound, connection.name() + " is empty: its creation was interrupted",
                "if it held something, restore it from a copy; else start the study again");
  if (version < schema.version)
    throw Error(ExitCode::kEnvironment,
                connection.name() + " was written by an older tune (schema " + std::to_string(version) + ")",
                std::string("`") + schema.brought_up_to_date_by + "` brings it up to date");
}

}  // namespace tune::store

#include "store/optuna_file.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <set>

#include "store/connection.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/enum_text.h"
#include "tuner/core/error.h"

namespace tune::store {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds kBusy{5'000};

// The statements of Optuna 5.0.0 as its file shows them in sqlite_master.
constexpr const char* kSchema = R"sql(
CREATE TABLE studies (
  study_id INTEGER NOT NULL, study_name VARCHAR(512) NOT NULL, PRIMARY KEY (study_id));
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE TABLE version_info (
  version_info_id INTEGER NOT NULL, schema_version INTEGER, library_version VARCHAR(256),
  PRIMARY KEY (version_info_id), CHECK (version_info_id=1));
CREATE TABLE study_directions (
  study_direction_id INTEGER NOT NULL, direction VARCHAR(8) NOT NULL, study_id INTEGER NOT NULL,
  objective INTEGER NOT NULL, PRIMARY KEY (study_direction_id), UNIQUE (study_id, objective),
  FOREIGN KEY(study_id) REFERENCES studies (study_id));
CREATE TABLE study_user_attributes (
  study_user_attribute_id INTEGER NOT NULL, study_id INTEGER, "key" VARCHAR(512), value_json TEXT,
  PRIMARY KEY (study_user_attribute_id), UNIQUE (study_id, "key"),
  FOREIGN KEY(study_id) REFERENCES studies (study_id));
CREATE TABLE study_system_attributes (
  study_system_attribute_id INTEGER NOT NULL, study_id INTEGER, "key" VARCHAR(512), value_json TEXT,
  PRIMARY KEY (study_system_attribute_id), UNIQUE (study_id, "key"),
  FOREIGN KEY(study_id) REFERENCES studies (study_id));
CREATE TABLE trials (
  trial_id INTEGER NOT NULL, number INTEGER, study_id INTEGER, state VARCHAR(8) NOT NULL,
  datetime_start DATETIME, datetime_complete DATETIME, PRIMARY KEY (trial_id),
  FOREIGN KEY(study_id) REFERENCES studies (study_id));
CREATE INDEX ix_trials_study_id ON trials (study_id);
CREATE TABLE trial_user_attributes (
  trial_user_attribute_id INTEGER NOT NULL, trial_id INTEGER, "key" VARCHAR(512), value_json TEXT,
  PRIMARY KEY (trial_user_attribute_id), UNIQUE (trial_id, "key"),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
CREATE TABLE trial_system_attributes (
  trial_system_attribute_id INTEGER NOT NULL, trial_id INTEGER, "key" VARCHAR(512), value_json TEXT,
  PRIMARY KEY (trial_system_attribute_id), UNIQUE (trial_id, "key"),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
CREATE TABLE trial_params (
  param_id INTEGER NOT NULL, trial_id INTEGER, param_name VARCHAR(512), param_value FLOAT,
  distribution_json TEXT, PRIMARY KEY (param_id), UNIQUE (trial_id, param_name),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
CREATE TABLE trial_values (
  trial_value_id INTEGER NOT NULL, trial_id INTEGER NOT NULL, objective INTEGER NOT NULL, value FLOAT,
  value_type VARCHAR(7) NOT NULL, PRIMARY KEY (trial_value_id), UNIQUE (trial_id, objective),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
CREATE TABLE trial_intermediate_values (
  trial_intermediate_value_id INTEGER NOT NULL, trial_id INTEGER NOT NULL, step INTEGER NOT NULL,
  intermediate_value FLOAT, intermediate_value_type VARCHAR(7) NOT NULL,
  PRIMARY KEY (trial_intermediate_value_id), UNIQUE (trial_id, step),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
CREATE TABLE trial_heartbeats (
  trial_heartbeat_id INTEGER NOT NULL, trial_id INTEGER NOT NULL, heartbeat DATETIME NOT NULL,
  PRIMARY KEY (trial_heartbeat_id), UNIQUE (trial_id),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
CREATE TABLE alembic_version (
  version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO version_info VALUES (1, 12, '5.0.0');
INSERT INTO alembic_version VALUES ('v3.2.0.a');
)sql";

// The tables that a study is read from, in every schema version since 3.0.
constexpr std::array kRead{"studies",      "study_directions", "trials",
                           "trial_params", "trial_values",     "trial_intermediate_values"};

constexpr EnumTexts<OptunaState, 5> kStates{{{OptunaState::kRunning, "RUNNING"},
                                             {OptunaState::kComplete, "COMPLETE"},
                                             {OptunaState::kPruned, "PRUNED"},
                                             {OptunaState::kFail, "FAIL"},
                                             {OptunaState::kWaiting, "WAITING"}}};

// "2026-12-01 04:07:57.033000", in this process's zone.
std::string local_text(WallTime time) {
  const auto milliseconds = time.time_since_epoch().count();
  const time_t seconds = milliseconds / 1000;
  tm parts{};
  ::localtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d %02d:%02d:%02d.%03d000", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(milliseconds % 1000));
  return text.data();
}

// nullopt for what is no such text.
std::optional<WallTime> local_time(const std::string& text) {
  tm parts{};
  double seconds = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%d %d:%d:%lf", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                  &parts.tm_hour, &parts.tm_min, &seconds) != 6 ||
      !(seconds >= 0 && seconds < 61))
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  parts.tm_isdst = -1;
  const time_t whole = ::mktime(&parts);
  const std::int64_t milliseconds =
      static_cast<std::int64_t>(whole) * 1000 + static_cast<std::int64_t>(std::llround(seconds * 1000));
  if (whole == -1 || milliseconds < 0) return std::nullopt;
  return WallTime(Milliseconds(milliseconds));
}

const char* kind_of(double value) {
  if (std::isnan(value)) return "NAN";
  if (std::isinf(value)) return value > 0 ? "INF_POS" : "INF_NEG";
  return "FINITE";
}

std::optional<double> finite(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

double value_of_kind(const std::string& kind, double value) {
  if (kind == "FINITE") return value;
  if (kind == "INF_POS") return HUGE_VAL;
  if (kind == "INF_NEG") return -HUGE_VAL;
  if (kind == "NAN") return std::nan("");
  throw std::invalid_argument("\"" + kind + "\" is no kind of value");
}

void write_attributes(Connection& connection, const char* sql, int owner,
                      const std::map<std::string, Json>& attributes) {
  Query query(connection, sql);
  for (const auto& [key, value] : attributes) query.bind(owner).bind(key).bind(value).run();
}

void write_trial(Connection& connection, int id, const OptunaTrial& trial) {
  const auto text = [](const std::optional<WallTime>& time) {
    return time ? std::optional(local_text(*time)) : std::nullopt;
  };
  Query(connection,
        "INSERT INTO trials (trial_id, number, study_id, state, datetime_start, datetime_complete)"
        " VALUES (?, ?, 1, ?, ?, ?)")
      .bind(id)
      .bind(trial.number)
      .bind(text_of(kStates, trial.state))
      .bind(text(trial.started))
      .bind(text(trial.completed))
      .run();
  Query parameters(connection,
                   "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)"
                   " VALUES (?, ?, ?, ?)");
  for (const OptunaParameter& parameter : trial.parameters)
    parameters.bind(id).bind(parameter.name).bind(parameter.value).bind(parameter.distribution.dump()).run();
  Query values(connection,
               "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?, ?, ?, ?)");
  for (std::size_t i = 0; i < trial.values.size(); ++i)
    values.bind(id)
        .bind(static_cast<int>(i))
        .bind(finite(trial.values[i]))
        .bind(kind_of(trial.values[i]))
        .run();
  Query reported(connection,
                 "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value,"
                 " intermediate_value_type) VALUES (?, ?, ?, ?)");
  for (const MetricPoint& point : trial.reported)
    reported.bind(id).bind(point.step).bind(finite(point.value)).bind(kind_of(point.value)).run();
  write_attributes(connection,
                   "INSERT INTO trial_user_attributes (trial_id, \"key\", value_json) VALUES (?, ?, ?)", id,
                   trial.user_attributes);
  write_attributes(connection,
                   "INSERT INTO trial_system_attributes (trial_id, \"key\", value_json) VALUES (?, ?, ?)", id,
                   trial.system_attributes);
}

void write_study(Connection& connection, const OptunaStudy& study) {
  connection.execute("PRAGMA journal_mode = OFF; BEGIN");  // what is half written is thrown away whole
  connection.execute(kSchema);
  Query(connection, "INSERT INTO studies (study_id, study_name) VALUES (1, ?)").bind(study.name).run();
  for (std::size_t i = 0; i < study.goals.size(); ++i)
    Query(connection, "INSERT INTO study_directions (direction, study_id, objective) VALUES (?, 1, ?)")
        .bind(study.goals[i] == Goal::kMaximize ? "MAXIMIZE" : "MINIMIZE")
        .bind(static_cast<int>(i))
        .run();
  write_attributes(connection,
                   "INSERT INTO study_user_attributes (study_id, \"key\", value_json) VALUES (?, ?, ?)", 1,
                   study.user_attributes);
  write_attributes(connection,
                   "INSERT INTO study_system_attributes (study_id, \"key\", value_json) VALUES (?, ?, ?)", 1,
                   study.system_attributes);
  int id = 0;
  for (const OptunaTrial& trial : study.trials) write_trial(connection, ++id, trial);
  connection.execute("COMMIT");
}

// A file that is to be renamed, gone with this unless it was.
struct Unfinished {
  explicit Unfinished(fs::path path) : file(std::move(path)) { remove(); }
  ~Unfinished() { remove(); }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  void remove() const {
    std::error_code ignored;
    fs::remove(file, ignored);
  }
  const fs::path file;
};

void require_tables(Connection& connection) {
  for (const char* table : kRead)
    if (!Query(connection, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?")
             .bind(table)
             .step())
      throw Error(ExitCode::kBadSpec,
                  connection.name() + " is no storage of Optuna: it has no table " + table,
                  "name the file of its sqlite:/// address, of Optuna 3 or newer");
}

std::vector<std::string> study_names_in(Connection& connection) {
  std::vector<std::string> names;
  Query query(connection, "SELECT study_name FROM studies ORDER BY study_id");
  while (query.step()) names.push_back(query.text());
  return names;
}

std::map<std::string, Json> read_attributes(Connection& connection, const char* sql, std::int64_t owner) {
  std::map<std::string, Json> attributes;
  Query query(connection, sql);
  query.bind(owner);
  while (query.step()) {
    const std::string key = query.text();
    attributes[key] = query.json();
  }
  return attributes;
}

// A value with its kind behind it.
double read_value(Query& query) {
  const double number = query.real();
  return query.cell([number](const std::string& kind) { return value_of_kind(kind, number); });
}

void read_details(Connection& connection, std::int64_t id, OptunaTrial& trial) {
  Query parameters(connection,
                   "SELECT param_name, param_value, distribution_json FROM trial_params WHERE trial_id = ?"
                   " ORDER BY param_id");
  parameters.bind(id);
  while (parameters.step()) {
    OptunaParameter& parameter = trial.parameters.emplace_back();
    parameter.name = parameters.text();
    parameter.value = parameters.real();
    parameter.distribution =
        parameters.cell([](const std::string& text) { return OrderedJson::parse(text); });
  }
  Query values(
      connection,
      "SELECT coalesce(value, 0.0), value_type FROM trial_values WHERE trial_id = ? ORDER BY objective");
  values.bind(id);
  while (values.step()) trial.values.push_back(read_value(values));
  Query reported(connection,
                 "SELECT step, coalesce(intermediate_value, 0.0), intermediate_value_type FROM"
                 " trial_intermediate_values WHERE trial_id = ? ORDER BY step");
  reported.bind(id);
  while (reported.step()) {
    const std::int64_t step = reported.integer();
    trial.reported.push_back({step, read_value(reported)});
  }
  trial.user_attributes = read_attributes(
      connection, "SELECT \"key\", value_json FROM trial_user_attributes WHERE trial_id = ?", id);
  trial.system_attributes = read_attributes(
      connection, "SELECT \"key\", value_json FROM trial_system_attributes WHERE trial_id = ?", id);
}

}  // namespace

void write_optuna_file(const fs::path& file, const OptunaStudy& study) {
  std::error_code unknown;
  if (fs::exists(fs::symlink_status(file, unknown)))
    throw Error(ExitCode::kConflict, file.string() + " is there already", "choose another name");
  const Unfinished part(file.string() + ".part");
  {
    Connection connection(part.file, OpenMode::kCreate, kBusy);
    write_study(connection, study);
  }
  fs::rename(part.file, file, unknown);
  if (unknown)
    throw Error(ExitCode::kEnvironment, "cannot write " + file.string() + ": " + unknown.message());
}

std::vector<std::string> optuna_studies(const fs::path& file) {
  Connection connection(file, OpenMode::kRead, kBusy);
  require_tables(connection);
  return study_names_in(connection);
}

OptunaStudy read_optuna_file(const fs::path& file, const std::string& name) {
  Connection connection(file, OpenMode::kRead, kBusy);
  require_tables(connection);
  const ReadTransaction transaction(connection);
  Query found(connection, "SELECT study_id FROM studies WHERE study_name = ?");
  if (!found.bind(name).step())
    throw Error(ExitCode::kNotFound, file.string() + " has no study \"" + name + "\"",
                name_hint(name, study_names_in(connection), "its studies are"));
  const std::int64_t study_id = found.integer();
  OptunaStudy study;
  study.name = name;
  Query directions(connection,
                   "SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective");
  directions.bind(study_id);
  while (directions.step())
    study.goals.push_back(directions.text() == "MAXIMIZE" ? Goal::kMaximize : Goal::kMinimize);
  study.user_attributes = read_attributes(
      connection, "SELECT \"key\", value_json FROM study_user_attributes WHERE study_id = ?", study_id);
  study.system_attributes = read_attributes(
      connection, "SELECT \"key\", value_json FROM study_system_attributes WHERE study_id = ?", study_id);
  Query trials(connection,
               "SELECT trial_id, coalesce(number, 0), state, coalesce(datetime_start, ''),"
               " coalesce(datetime_complete, '') FROM trials WHERE study_id = ? ORDER BY trial_id");
  trials.bind(study_id);
  while (trials.step()) {
    OptunaTrial& trial = study.trials.emplace_back();
    const std::int64_t id = trials.integer();
    trial.number = trials.count();
    trial.state = trials.cell(
        [](const std::string& text) { return value_of(kStates, text, "state of a trial of Optuna"); });
    trial.started = local_time(trials.text());
    trial.completed = local_time(trials.text());
    read_details(connection, id, trial);
  }
  std::stable_sort(study.trials.begin(), study.trials.end(),
                   [](const OptunaTrial& a, const OptunaTrial& b) { return a.number < b.number; });
  return study;
}

}  // namespace tune::store

#include "store/study_store.h"

#include <sqlite3.h>

#include <algorithm>

#include "store/connection.h"
#include "store/metric_table.h"
#include "store/schema.h"
#include "store/shape.h"
#include "store/study_tables.h"
#include "store/value_list.h"
#include "tuner/core/error.h"

namespace tune::store {
namespace {

constexpr const char* kMemory = ":memory:";
// The WAL file is cut back to this size once its content is in the database. The content is moved there when
// the file has grown nearly so long, since each move costs two waits for the disk, and writes a changed page
// once however often it changed.
constexpr const char* kWalLimit = "PRAGMA journal_size_limit = 16777216; PRAGMA wal_autocheckpoint = 4000";
// What only the `tune` that runs a study records.
constexpr const char* kRunKinds[] = {"study_started",    "trial_queued", "attempt_started", "trial_finished",
                                     "attempt_requeued", "best",         "draining",        "study_finished"};
constexpr const char* kSyncNormal = "PRAGMA synchronous = NORMAL";
constexpr const char* kSyncFull = "PRAGMA synchronous = FULL";

bool has_study_row(Connection& connection) { return connection.text("SELECT count(*) FROM study") == "1"; }

// What an event keeps of a trial that is about to change.
Json end_of(const TrialRow& trial) {
  return {{"state", to_string(trial.state)},
          {"reason", trial.reason},
          {"failure", trial.failure},
          {"values", values_json(trial.values)}};
}

// They come after the study's row, so its creation was not interrupted.
void refuse_rows_without_study(Connection& connection) {
  for (const char* table : {"trials", "attempts", "events", "metrics"})
    if (connection.text(std::string("SELECT count(*) FROM ") + table) != "0")
      throw DamagedFile(connection.name() + ": its table study is empty, though its table " + table +
                        " is not");
}

}  // namespace

bool is_bound_to_space(const StudyFacts& facts, const TrialRow& trial) {
  if (trial.facts.deleted || trial.facts.rerun_of) return false;
  return facts.amendments.empty() || trial.number > facts.amendments.back().trials;
}

struct StudyStore::Impl {
  Impl(const std::filesystem::path& file, OpenMode mode, StoreSettings settings);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void begin(Durability durability);
  void commit();
  void rollback();

  OpenMode mode;
  StoreSettings settings;
  Connection connection;
  MetricTable metrics{connection};
  int depth = 0;        // of nested transactions
  bool doomed = false;  // an inner transaction was given up: the outer one must not commit
  bool raised = false;  // the open transaction runs with synchronous=FULL
};

StudyStore::Impl::Impl(const std::filesystem::path& file, OpenMode open_mode, StoreSettings store_settings)
    : mode(open_mode), settings(store_settings), connection(file, open_mode, settings.busy_timeout) {
  if (mode == OpenMode::kRead) {
    require_newest(connection, study_schema());
  } else {
    connection.execute(settings.durability == Durability::kPower ? kSyncFull : kSyncNormal);
    connection.execute("PRAGMA foreign_keys = ON");
    if (file != kMemory) {
      // Asked for by text: where WAL is impossible SQLite answers with the mode that stays instead of
      // failing.
      const std::string journal = connection.text("PRAGMA journal_mode = WAL");
      if (journal != "wal")
        throw Error(ExitCode::kEnvironment,
                    connection.name() + ": this file system allows no write-ahead log",
                    "put the store on a local disk with --store");
      connection.execute(kWalLimit);
    }
    if (mode == OpenMode::kCreate) create_tables(connection, study_schema());
    if (schema_version(connection, study_schema()) != 0)
      migrate(connection, study_schema());
    else
      require_newest(connection, study_schema());
  }
  check_shape(connection, study_schema());
  const bool found = has_study_row(connection);
  if (!found) refuse_rows_without_study(connection);
  if (mode == OpenMode::kCreate && found)
    throw Error(ExitCode::kConflict, connection.name() + " holds a study already");
  if (mode != OpenMode::kCreate && !found)
    throw Error(ExitCode::kNotFound, connection.name() + " holds no study: its creation was interrupted",
                "if it held something, restore it from a copy; else start the study again");
}

void StudyStore::Impl::begin(Durability durability) {
  TUNE_CHECK(mode != OpenMode::kRead, connection.name() + " is open for reading");
  if (depth++ > 0) return;
  try {
    raised = durability == Durability::kPower && settings.durability != Durability::kPower;
    if (raised) connection.execute(kSyncFull);
    Query(connection, "BEGIN IMMEDIATE").run();
  } catch (...) {
    depth = 0;
    if (raised) connection.execute(kSyncNormal);
    raised = false;
    throw;
  }
}

void StudyStore::Impl::commit() {
  if (--depth > 0) return;
  if (doomed) {
    depth = 1;
    rollback();
    broken_invariant("every inner transaction was committed", __FILE__, __LINE__, connection.name());
  }
  try {
    Query(connection, "COMMIT").run();
  } catch (...) {
    depth = 1;
    rollback();
    throw;
  }
  if (raised) connection.execute(kSyncNormal);
  raised = false;
}

void StudyStore::Impl::rollback() {
  if (--depth > 0) {
    doomed = true;
    return;
  }
  doomed = false;
  metrics.forget_ids();
  try {
    Query(connection, "ROLLBACK").run();
  } catch (const Error&) {
    // SQLite has rolled back by itself (a full disk does that); the first error is the one that travels.
  }
  if (raised) connection.execute(kSyncNormal);
  raised = false;
}

StudyStore::StudyStore(const std::filesystem::path& file, OpenMode mode, StoreSettings settings)
    : impl_(std::make_unique<Impl>(file, mode, settings)) {}
StudyStore::~StudyStore() = default;
StudyStore::StudyStore(StudyStore&&) noexcept = default;
StudyStore& StudyStore::operator=(StudyStore&&) noexcept = default;

StudyStore::Transaction::Transaction(StudyStore& store, Durability durability)
    : store_(store), outer_(store.impl_->depth == 0) {
  store_.impl_->begin(durability);
}

StudyStore::Transaction::~Transaction() {
  if (!done_) store_.impl_->rollback();
}

void StudyStore::Transaction::commit() {
  TUNE_CHECK(!done_ && outer_ == (store_.impl_->depth == 1));
  done_ = true;
  store_.impl_->commit();
}

void StudyStore::create_study(const StudyRow& row) {
  Transaction transaction(*this);
  insert_row(impl_->connection, row);
  transaction.commit();
}

void StudyStore::replace_study(const StudyRow& row) {
  Transaction transaction(*this);
  TUNE_CHECK(trial_count() == 0, impl_->connection.name());
  Query(impl_->connection, "DELETE FROM study").run();
  insert_row(impl_->connection, row);
  transaction.commit();
}

void StudyStore::update_spec(const StudyRow& row) {
  Transaction transaction(*this);
  update_spec_of(impl_->connection, row);
  transaction.commit();
}

void StudyStore::update_study(const StudyRow& row) {
  Transaction transaction(*this);
  update_row(impl_->connection, row);
  transaction.commit();
}

void StudyStore::insert_trial(const TrialRow& row) {
  Transaction transaction(*this);
  const int last = trial_count();
  TUNE_CHECK(row.number == last + 1,
             "trial " + std::to_string(row.number) + " after " + std::to_string(last));
  insert_row(impl_->connection, row);
  transaction.commit();
}

void StudyStore::update_trial(const TrialRow& row) {
  Transaction transaction(*this);
  update_row(impl_->connection, row);
  transaction.commit();
}

std::int64_t StudyStore::change_finished_trial(const TrialRow& row, EventRow event) {
  Transaction transaction(*this);
  const std::optional<TrialRow> before = trial(row.number);
  TUNE_CHECK(before && (is_finished(before->state) || before->state == TrialState::kPaused),
             "trial " + std::to_string(row.number));
  event.trial = row.number;
  event.data["before"] = end_of(*before);
  const std::int64_t id = append_event(event);
  update_trial(row);
  transaction.commit();
  return id;
}

void StudyStore::delete_trial(int number, const std::string& who, WallTime now) {
  Transaction transaction(*this);
  std::optional<TrialRow> row = trial(number);
  TUNE_CHECK(row && !row->facts.deleted, "trial " + std::to_string(number));
  EventRow event{0, now, "trial_deleted", number, 0, {{"message", "deleted by " + who}, {"who", who}}};
  event.data["before"] = end_of(*row);
  append_event(event);
  row->state = TrialState::kStopped;
  row->reason = "deleted by " + who;
  row->failure = row->cut = {};
  row->values.clear();
  if (!row->ended) row->ended = now;
  row->facts.deleted = Deletion{who, now};
  update_trial(*row);
  impl_->metrics.remove(number);
  transaction.commit();
}

void StudyStore::insert_attempt(const AttemptRow& row) {
  Transaction transaction(*this);
  insert_row(impl_->connection, row);
  transaction.commit();
}

void StudyStore::update_attempt(const AttemptRow& row) {
  Transaction transaction(*this);
  update_row(impl_->connection, row);
  transaction.commit();
}

void StudyStore::insert_metrics(const std::vector<MetricRow>& rows) {
  if (rows.empty()) return;
  Transaction transaction(*this);
  impl_->metrics.insert(rows);
  transaction.commit();
}

std::int64_t StudyStore::append_event(const EventRow& row) {
  Transaction transaction(*this);
  const std::int64_t id = insert_row(impl_->connection, row);
  transaction.commit();
  return id;
}

void StudyStore::remove_metrics(int trial) {
  Transaction transaction(*this);
  impl_->metrics.remove(trial);
  transaction.commit();
}

void StudyStore::replace_earlier_trials(const std::vector<EarlierTrial>& trials) {
  Transaction transaction(*this);
  Query(impl_->connection, "DELETE FROM earlier_trials").run();
  for (const EarlierTrial& earlier : trials) insert_row(impl_->connection, earlier);
  transaction.commit();
}

void StudyStore::checkpoint_wal() {
  TUNE_CHECK(impl_->mode != OpenMode::kRead && impl_->depth == 0);
  // Not TRUNCATE, which would wait for readers. The next writer begins the log anew and cuts it to kWalLimit.
  impl_->connection.text("PRAGMA wal_checkpoint(PASSIVE)");
}

const std::string& StudyStore::file() const { return impl_->connection.name(); }

StudyRow StudyStore::study() const { return study_row(impl_->connection); }

int StudyStore::trial_count() const {
  return static_cast<int>(impl_->connection.number("SELECT coalesce(max(number), 0) FROM trials"));
}

std::optional<TrialRow> StudyStore::trial(int number) const { return trial_row(impl_->connection, number); }

std::vector<TrialRow> StudyStore::trials() const { return trial_rows(impl_->connection); }

std::vector<AttemptRow> StudyStore::attempts(int trial) const {
  return attempt_rows(impl_->connection, trial);
}

std::vector<TrialRow> StudyStore::trials_in_short(int first, int last) const {
  return trial_rows_in_short(impl_->connection, first, last);
}

std::vector<AttemptRow> StudyStore::attempts_between(int first, int last) const {
  return attempt_rows_between(impl_->connection, first, last);
}

std::int64_t StudyStore::data_version() const { return impl_->connection.number("PRAGMA data_version"); }

std::vector<AttemptRow> StudyStore::attempts_on_devices(WallTime since) const {
  return attempt_rows_on_devices(impl_->connection, since);
}

std::vector<MetricRow> StudyStore::metrics(int trial, const std::string& name) const {
  return impl_->metrics.rows(trial, name);
}

std::vector<MetricPoint> StudyStore::curve(int trial, const std::string& name) const {
  return impl_->metrics.curve(trial, name);
}

std::optional<MetricPoint> StudyStore::last_point(int trial, const std::string& name) const {
  return impl_->metrics.last_point(trial, name);
}

std::map<int, MetricPoint> StudyStore::last_points(const std::string& name) const {
  return impl_->metrics.last_points(name);
}

std::map<std::pair<int, int>, double> StudyStore::metric_sums(const std::string& name) const {
  return impl_->metrics.sums(name);
}

std::vector<EventRow> StudyStore::events(std::int64_t after_id, int limit) const {
  return event_rows(impl_->connection, after_id, limit);
}

std::vector<EventRow> StudyStore::events_of(int trial) const {
  return event_rows_of(impl_->connection, trial);
}

std::int64_t StudyStore::last_event(const std::string& kind) const {
  if (kind.empty()) return impl_->connection.number("SELECT coalesce(max(id), 0) FROM events");
  Query query(impl_->connection, "SELECT id FROM events WHERE kind = ? ORDER BY id DESC LIMIT 1");
  return query.bind(kind).step() ? query.integer() : 0;
}

bool StudyStore::has_event(const std::string& kind, const std::map<std::string, std::string>& texts) const {
  Query query(impl_->connection,
              "SELECT 1 FROM events WHERE kind = ? AND NOT EXISTS (SELECT 1 FROM json_each(?) AS wanted"
              " WHERE coalesce(json_extract(data, '$.' || wanted.key), '') IS NOT wanted.value) LIMIT 1");
  return query.bind(kind).bind(Json(texts)).step();
}

bool StudyStore::is_draining() const {
  Query last(impl_->connection,
             "SELECT kind = 'draining' FROM events WHERE kind IN ('study_started', 'draining')"
             " ORDER BY id DESC LIMIT 1");
  return last.step() && last.small() != 0;
}

bool is_of_a_run(const EventRow& event) {
  if (event.kind == "notice") return event.data.value("message", "").starts_with(kPausedNotice);
  return std::find(std::begin(kRunKinds), std::end(kRunKinds), event.kind) != std::end(kRunKinds);
}

std::vector<RunningTime> StudyStore::running_times() const {
  Query starts(impl_->connection, "SELECT id, time_ms FROM events WHERE kind = 'study_started' ORDER BY id");
  std::vector<std::pair<std::int64_t, WallTime>> runs;
  while (starts.step()) {
    const std::int64_t id = starts.integer();
    runs.emplace_back(id, starts.time());
  }
  std::string kinds;
  for (const char* kind : kRunKinds) kinds += (kinds.empty() ? "'" : ", '") + std::string(kind) + "'";
  std::vector<RunningTime> times;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::int64_t next = i + 1 < runs.size() ? runs[i + 1].first : INT64_MAX;
    const std::string sql = "SELECT max(time_ms) FROM events WHERE id >= ? AND id < ? AND (kind IN (" +
                            kinds + ") OR (kind = 'notice' AND substr(data, 13, length(?3)) = ?3))";
    Query last(impl_->connection, sql.c_str());
    last.bind(runs[i].first).bind(next).bind(kPausedNotice).step();
    times.push_back({runs[i].second, std::max(runs[i].second, last.time())});
  }
  return times;
}

std::vector<EarlierTrial> StudyStore::earlier_trials() const { return earlier_trial_rows(impl_->connection); }

History StudyStore::load_history() const {
  const ReadTransaction transaction(impl_->connection, impl_->depth == 0);
  History history;
  const StudyRow row = study();
  history.objective = row.objective;
  history.second = row.second;
  const std::vector<std::shared_ptr<TrialView>> trials = trial_views(impl_->connection);
  impl_->metrics.add_curves(history.objective.metric, trials, &TrialView::curve);
  if (history.second) impl_->metrics.add_curves(history.second->metric, trials, &TrialView::second_curve);
  for (const auto& [number, seconds] : impl_->metrics.step_seconds(history.objective.metric))
    trials.at(static_cast<std::size_t>(number) - 1)->step_seconds = seconds;
  add_device_memory(impl_->connection, trials);
  history.trials.assign(trials.begin(), trials.end());
  if (auto earlier = earlier_trials(); !earlier.empty())
    history.earlier = std::make_shared<const std::vector<EarlierTrial>>(std::move(earlier));
  return history;
}

std::string StudyStore::integrity() const {
  // "*** in database main ***", and what it is on the line below.
  std::string said = impl_->connection.text("PRAGMA integrity_check(1)");
  if (said.starts_with("***")) said.erase(0, said.find('\n') + 1);
  if (said != "ok") return said;
  Query lost(impl_->connection, "SELECT \"table\", parent FROM pragma_foreign_key_check LIMIT 1");
  if (!lost.step()) return said;
  const std::string table = lost.text();
  return "a row of its table " + table + " belongs to a row of " + lost.text() + " that is not there";
}

SqliteFacts sqlite_facts() {
  // https://sqlite.org/wal.html#walreset: fixed in 3.51.3.
  return {::sqlite3_libversion(), ::sqlite3_libversion_number() < 3'051'003};
}

}  // namespace tune::store

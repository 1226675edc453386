// Opening, transactions and what concerns the file as a whole.
#include "store/study_store.h"

#include <sqlite3.h>

#include "store/schema.h"
#include "store/shape.h"
#include "store/study_impl.h"
#include "tuner/core/error.h"

namespace tune::store {
namespace {

constexpr const char* kMemory = ":memory:";
// The WAL file is cut back to this size once its content is in the database. The content is moved there when
// the file has grown nearly so long, since each move costs two waits for the disk, and writes a changed page
// once however often it changed.
constexpr const char* kWalLimit = "PRAGMA journal_size_limit = 16777216; PRAGMA wal_autocheckpoint = 4000";
constexpr const char* kSyncNormal = "PRAGMA synchronous = NORMAL";
constexpr const char* kSyncFull = "PRAGMA synchronous = FULL";

bool has_study_row(Connection& connection) { return connection.text("SELECT count(*) FROM study") == "1"; }

// They come after the study's row, so its creation was not interrupted.
void refuse_rows_without_study(Connection& connection) {
  for (const char* table : {"trials", "attempts", "events", "metrics"})
    if (connection.text(std::string("SELECT count(*) FROM ") + table) != "0")
      throw DamagedFile(connection.name() + ": its table study is empty, though its table " + table +
                        " is not");
}

}  // namespace

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
  metric_ids.clear();  // some may have been born in what is undone
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

void StudyStore::checkpoint_wal() {
  TUNE_CHECK(impl_->mode != OpenMode::kRead && impl_->depth == 0);
  // Not TRUNCATE, which would wait for readers. The next writer begins the log anew and cuts it to kWalLimit.
  impl_->connection.text("PRAGMA wal_checkpoint(PASSIVE)");
}

std::string StudyStore::integrity() const { return impl_->connection.text("PRAGMA integrity_check(1)"); }

SqliteFacts sqlite_facts() {
  // https://sqlite.org/wal.html#walreset: fixed in 3.51.3.
  return {::sqlite3_libversion(), ::sqlite3_libversion_number() < 3'051'003};
}

}  // namespace tune::store

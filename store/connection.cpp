#include "store/connection.h"

#include <sqlite3.h>
#include <sys/resource.h>

#include <cmath>

#include "tuner/core/error.h"
#include "tuner/os/closed_file.h"

namespace tune::store {
namespace {

int open_flags(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return SQLite::OPEN_READONLY;
    case OpenMode::kWrite:
      return SQLite::OPEN_READWRITE;
    case OpenMode::kCreate:
      return SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE;
  }
  return SQLite::OPEN_READONLY;
}

// Whether a file of the database has come to the process's limit on the size of one (RLIMIT_FSIZE), for which
// SQLite has no code of its own.
bool is_at_size_limit(const std::string& name) {
  constexpr std::uintmax_t kWrite = 65536;  // SQLite's largest page: a write at a time
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
  for (const char* part : {"", "-wal", "-shm", "-journal"}) {
    std::error_code failed;
    const std::uintmax_t size = std::filesystem::file_size(name + part, failed);
    if (!failed && size + kWrite > limit.rlim_cur) return true;
  }
  return false;
}

constexpr double kMostSeconds = 1e11;  // three thousand years: their microseconds are still counted

bool is_in_calendar(std::int64_t milliseconds) {
  return milliseconds >= 0 && milliseconds <= 253'402'300'799'999;  // the end of the year 9999
}

bool is_of_another_shape(std::string_view message) {
  return message.find("no such table") != std::string_view::npos ||
         message.find("no such column") != std::string_view::npos ||
         message.find("has no column named") != std::string_view::npos ||
         message.find("malformed database schema") != std::string_view::npos;
}

}  // namespace

Connection::Connection(const std::filesystem::path& file, OpenMode mode, Milliseconds busy_timeout)
    : name_(file.string()) {
  std::error_code ignored;
  if (mode != OpenMode::kCreate && !std::filesystem::exists(file, ignored))
    throw Error(ExitCode::kNotFound, "there is no " + name_);
  // SQLite waits for a FIFO. By name, since closing a descriptor of one's own would drop SQLite's locks.
  for (const char* part : {"", "-wal", "-shm", "-journal"})
    if (const auto there = std::filesystem::status(name_ + part, ignored);
        std::filesystem::exists(there) && !std::filesystem::is_regular_file(there))
      throw Error(ExitCode::kEnvironment, name_ + part + " is not a regular file",
                  "it is not a database of tune: restore it from a copy, or take it away");
  try {
    database_ =
        std::make_unique<SQLite::Database>(name_, open_flags(mode), static_cast<int>(busy_timeout.count()));
    if (mode == OpenMode::kRead) {
      ::sqlite3_db_config(database_->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
      database_->exec("PRAGMA query_only = ON");
    }
  } catch (const SQLite::Exception& error) {
    fail(error);
  }
}

void Connection::execute(const std::string& sql) {
  try {
    database_->exec(sql);
  } catch (const SQLite::Exception& error) {
    fail(error);
  }
}

SQLite::Statement& Connection::statement(const char* sql) {
  auto& cached = statements_[sql];
  if (!cached) {
    try {
      cached = std::make_unique<SQLite::Statement>(*database_, sql);
    } catch (const SQLite::Exception& error) {
      statements_.erase(sql);
      fail(error);
    }
  }
  return *cached;
}

std::int64_t Connection::number(const char* sql) {
  Query query(*this, sql);
  TUNE_CHECK(query.step(), sql);
  return query.integer();
}

std::string Connection::text(const std::string& sql) {
  try {
    SQLite::Statement once(*database_, sql);
    return once.executeStep() ? once.getColumn(0).getString() : std::string();
  } catch (const SQLite::Exception& error) {
    fail(error);
  }
}

void Connection::fail(const SQLite::Exception& error) const {
  const std::string what = name_ + ": " + error.what();
  switch (error.getErrorCode()) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw Error(ExitCode::kConflict, what, "another program holds the file; end it, or try again");
    case SQLITE_FULL:
      throw DiskFull(what);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      throw DamagedFile(what);
    case SQLITE_IOERR:
      if (is_at_size_limit(name_)) throw FileSizeLimit(what);
      // The disk has turned read-only under an open file: SQLite opens none for writing on such a disk.
      if (const auto refusal = read_only_disk(name_, what)) throw Error(*refusal);
      throw Error(ExitCode::kEnvironment, what, "the disk reports an error; see the system's log (dmesg)");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      throw closed_file(name_, what);
    case SQLITE_ERROR:
      // "no such table: trials", "table trials has no column named note": somebody has changed the file.
      if (is_of_another_shape(error.what())) throw DamagedFile(what);
      throw Error(ExitCode::kInternal, what);
    // A number beyond the last event, for example: no row of tune is so.
    case SQLITE_MISMATCH:
      throw DamagedFile(what);
    case SQLITE_CONSTRAINT:
      // Every column of a row that is written is checked, and this program binds what its columns take.
      if (error.getExtendedErrorCode() == SQLITE_CONSTRAINT_DATATYPE) throw DamagedFile(what);
      throw Error(ExitCode::kInternal, what);
    case SQLITE_NOMEM:
      throw Error(ExitCode::kEnvironment, what, "there is not enough memory");
    default:
      throw Error(ExitCode::kInternal, what);
  }
}

void Connection::fail_damaged(const std::string& sql, int column, const std::string& problem) const {
  throw DamagedFile(name_ + ": a cell is damaged (" + problem + "; column " + std::to_string(column) +
                    " of: " + sql + ")");
}

Query::Query(Connection& connection, const char* sql)
    : connection_(connection), sql_(sql), statement_(connection.statement(sql)) {}

template <typename Use>
auto Query::take(Use use) {
  try {
    return use(statement_.getColumn(column_++));
  } catch (const SQLite::Exception& error) {
    connection_.fail(error);
  }
}

template <typename... Values>
Query& Query::put(const Values&... values) {
  try {
    statement_.bind(parameter_++, values...);
  } catch (const SQLite::Exception& error) {
    connection_.fail(error);
  }
  return *this;
}

void Query::damaged(const std::exception& problem) const {
  connection_.fail_damaged(sql_, column_, problem.what());
}

Query::~Query() {
  statement_.tryReset();
  try {
    statement_.clearBindings();
  } catch (const SQLite::Exception&) {
    // A statement that was just reset takes this; were it otherwise, the next bind() would say so.
  }
}

Query& Query::bind(std::int64_t value) { return put(value); }

Query& Query::bind(const std::string& value) { return put(value); }

Query& Query::bind(const Json& value) {
  // A log line in an event may hold bytes that are not UTF-8; they must not keep the event out of the store.
  return bind(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Query& Query::bind(WallTime value) {
  return bind(static_cast<std::int64_t>(value.time_since_epoch().count()));
}

Query& Query::bind(double value) {
  // SQLite would turn NaN into NULL.
  if (!std::isfinite(value)) return bind(number_to_json(value).get<std::string>());
  return put(value);
}

bool Query::step() {
  column_ = 0;
  try {
    return statement_.executeStep();
  } catch (const SQLite::Exception& error) {
    connection_.fail(error);
  }
}

void Query::run() {
  try {
    statement_.exec();
    statement_.reset();
    statement_.clearBindings();
  } catch (const SQLite::Exception& error) {
    connection_.fail(error);
  }
  parameter_ = 1;
}

std::int64_t Query::integer() {
  return take([this](const SQLite::Column& column) {
    // SQLite would turn any text into a number.
    if (!column.isInteger()) wrong_type("an integer");
    return column.getInt64();
  });
}

void Query::wrong_type(const char* expected) const {
  connection_.fail_damaged(sql_, column_, std::string("it does not hold ") + expected);
}

double Query::real() {
  const auto number = take([this](const SQLite::Column& column) {
    if (column.isBlob() || column.isNull()) wrong_type("a number");
    return column.isText() ? std::nullopt : std::optional(column.getDouble());
  });
  if (number) return *number;
  --column_;
  return cell([](const std::string& text) { return number_from_json(Json(text)); });
}

std::string Query::text() {
  return take([this](const SQLite::Column& column) {
    if (!column.isText()) wrong_type("a text");
    return column.getString();
  });
}

int Query::small() {
  const std::int64_t number = integer();
  expect(number >= INT32_MIN && number <= INT32_MAX, "a number of trials, attempts or the like");
  return static_cast<int>(number);
}

int Query::count() {
  const int number = small();
  expect(number >= 0, "a count");
  return number;
}

std::uint64_t Query::bytes() {
  const std::int64_t number = integer();
  expect(number >= 0, "a number of bytes");
  return static_cast<std::uint64_t>(number);
}

double Query::seconds() {
  const double number = real();
  expect(number >= 0 && number <= kMostSeconds, "seconds");
  return number;
}

double Query::fraction() {
  const double number = real();
  expect(number > 0 && number <= 1, "a share of a training");
  return number;
}

Json json_of_cell(const std::string& text) {
  if (text == "{}") return Json::object();  // what most cells hold
  if (text == "[]") return Json::array();
  if (text.find('\0') != std::string::npos) throw std::invalid_argument("it holds a NUL");
  return Json::parse(text);
}

Json Query::json() { return cell(json_of_cell); }

Json Query::object() {
  return cell([](const std::string& text) {
    Json json = json_of_cell(text);
    if (!json.is_object()) throw std::invalid_argument("it is not a JSON object");
    return json;
  });
}

WallTime Query::time() {
  const std::int64_t milliseconds = integer();
  expect(is_in_calendar(milliseconds), "a time");
  return WallTime(Milliseconds(milliseconds));
}

std::optional<int> Query::maybe_small() {
  return take([this](const SQLite::Column& column) {
    if (column.isNull()) return std::optional<int>();
    const std::int64_t number = column.isInteger() ? column.getInt64() : INT64_MAX;
    expect(number >= INT32_MIN && number <= INT32_MAX, "an integer");
    return std::optional(static_cast<int>(number));
  });
}

std::optional<WallTime> Query::maybe_time() {
  return take([this](const SQLite::Column& column) {
    if (column.isNull()) return std::optional<WallTime>();
    expect(column.isInteger() && is_in_calendar(column.getInt64()), "a time");
    return std::optional(WallTime(Milliseconds(column.getInt64())));
  });
}

ReadTransaction::ReadTransaction(Connection& connection, bool needed)
    : connection_(connection), needed_(needed) {
  if (needed_) Query(connection_, "BEGIN").run();
}

ReadTransaction::~ReadTransaction() {
  if (!needed_) return;
  try {
    Query(connection_, "COMMIT").run();
  } catch (const Error&) {
    // Nothing was written: there is nothing to lose.
  }
}

}  // namespace tune::store

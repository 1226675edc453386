#pragma once
// One SQLite connection with cached statements and our own errors. Internal to the store: nothing outside
// includes this.
#include <SQLiteCpp/SQLiteCpp.h>

#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "store/open_mode.h"
#include "tuner/core/clock.h"
#include "tuner/core/json.h"

namespace tune::store {

// Owned by a StudyStore or a ModelRegistry, used by one thread at a time. Every failure leaves it as a
// tune::Error that names the file.
class Connection {
 public:
  // kRead opens with SQLITE_OPEN_READONLY and query_only, and never checkpoints.
  Connection(const std::filesystem::path& file, OpenMode mode, Milliseconds busy_timeout);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void execute(const std::string& sql);  // one or more statements without results
  // The statement of a string literal, compiled once.
  SQLite::Statement& statement(const char* sql);
  std::int64_t number(const char* sql);      // the single integer that a query returns
  std::string text(const std::string& sql);  // the first column of the first row, "" without rows; not cached
  int changes() const { return database_->getChanges(); }
  const std::string& name() const { return name_; }

  // Turns SQLite's error into ours.
  [[noreturn]] void fail(const SQLite::Exception& error) const;
  // What a cell holds is not what this program writes there: DamagedFile.
  [[noreturn]] void fail_damaged(const std::string& sql, int column, const std::string& problem) const;

 private:
  std::string name_;
  std::unique_ptr<SQLite::Database> database_;
  std::unordered_map<const char*, std::unique_ptr<SQLite::Statement>> statements_;
};

// What a JSON text of a cell says. Throws std::exception; a NUL, where nlohmann's parser would end, is damage
// too.
Json json_of_cell(const std::string& text);

// One use of a cached statement: bind in order, step, read columns in order. It lives on the stack of the
// function that asks, on its connection's thread, and resets the statement when it goes; until then no second
// one may use the same statement. It begins and ends no transaction.
class Query {
 public:
  Query(Connection& connection, const char* sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& bind(std::int64_t value);
  Query& bind(int value) { return bind(static_cast<std::int64_t>(value)); }
  Query& bind(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }  // bit for bit
  Query& bind(const std::string& value);
  Query& bind(const char* value) { return bind(std::string(value)); }
  Query& bind(const Json& value);
  Query& bind(WallTime value);
  Query& bind(double value);  // NaN and infinities as the texts "NaN", "Infinity", "-Infinity"
  template <typename T>
  Query& bind(const std::optional<T>& value) {
    if (value) return bind(*value);
    ++parameter_;  // stays NULL
    return *this;
  }

  bool step();  // false when there are no more rows; columns start again from the first
  void run();   // for a statement that returns no rows; afterwards it may be bound again

  // What this program never writes (a negative count, a time out of the calendar, infinite seconds) is
  // damage, as another type is: DamagedFile.
  std::int64_t integer();
  int small();
  std::uint64_t bits() { return static_cast<std::uint64_t>(integer()); }  // as bind(std::uint64_t) wrote them
  int count();
  std::uint64_t bytes();
  double real();
  double seconds();
  double fraction();  // (0, 1]
  std::string text();
  Json json();
  Json object();  // JSON that must be an object
  WallTime time();
  // What a text stands for. DamagedFile when `convert` throws.
  template <typename Convert>
  auto cell(Convert convert) {
    const std::string content = text();
    try {
      return convert(content);
    } catch (const std::exception& problem) {
      damaged(problem);
    }
  }
  std::optional<int> maybe_small();
  std::optional<WallTime> maybe_time();

 private:
  // Runs `use` on the next column; SQLite's error becomes ours.
  template <typename Use>
  auto take(Use use);
  template <typename... Values>
  Query& put(const Values&... values);
  [[noreturn]] void wrong_type(const char* expected) const;
  void expect(bool is_as_written, const char* expected) const {
    if (!is_as_written) wrong_type(expected);
  }
  [[noreturn]] void damaged(const std::exception& problem) const;

  Connection& connection_;
  const char* sql_;
  SQLite::Statement& statement_;
  int parameter_ = 1;
  int column_ = 0;
};

// Several queries see one state of the file. It does nothing inside a write transaction, which sees one
// anyway.
class ReadTransaction {
 public:
  explicit ReadTransaction(Connection& connection, bool needed = true);
  ~ReadTransaction();
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  Connection& connection_;
  bool needed_;
};

}  // namespace tune::store

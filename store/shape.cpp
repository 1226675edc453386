#include "store/shape.h"

#include <map>
#include <mutex>
#include <string>

#include "tuner/core/error.h"

namespace tune::store {
namespace {

struct Column {
  std::string type;
  bool may_be_empty = false;  // hold NULL
};
// The columns by table.
using Shape = std::map<std::string, std::map<std::string, Column>>;

Shape shape_of(Connection& connection) {
  Query query(
      connection,
      "SELECT t.name, c.name, c.type, c.\"notnull\" FROM sqlite_schema AS t, pragma_table_info(t.name) AS c"
      " WHERE t.type = 'table'");
  Shape shape;
  while (query.step()) {
    const std::string table = query.text(), column = query.text();
    Column& found = shape[table][column];
    found.type = query.text();
    found.may_be_empty = query.integer() == 0;
  }
  return shape;
}

// That of a new file, made once.
const Shape& promised_shape(const Schema& schema) {
  static std::mutex mutex;
  static std::map<std::int32_t, Shape> known;
  const std::lock_guard lock(mutex);
  auto [place, is_new] = known.try_emplace(schema.application_id);
  if (is_new) {
    Connection memory(":memory:", OpenMode::kCreate, Milliseconds(0));
    memory.execute(schema.tables);
    place->second = shape_of(memory);
  }
  return place->second;
}

[[noreturn]] void fail(const Connection& connection, const std::string& what) {
  throw DamagedFile(connection.name() + ": " + what + ": it is not as tune made it");
}

}  // namespace

void check_shape(Connection& connection, const Schema& schema) {
  const Shape found = shape_of(connection);
  for (const auto& [table, columns] : promised_shape(schema)) {
    const auto there = found.find(table);
    if (there == found.end()) fail(connection, "the table " + table + " is missing");
    for (const auto& [column, promised] : columns) {
      const auto place = there->second.find(column);
      if (place == there->second.end())
        fail(connection, std::string("the table ").append(table).append(" has no column ").append(column));
      const std::string which =
          std::string("the column ").append(column).append(" of the table ").append(table);
      const auto& [type, may_be_empty] = place->second;
      if (type != promised.type)
        fail(connection, which + " holds " + (type.empty() ? "anything" : type) + ", not " + promised.type);
      if (may_be_empty && !promised.may_be_empty) fail(connection, which + " may be empty");
    }
  }
}

}  // namespace tune::store

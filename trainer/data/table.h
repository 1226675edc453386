#pragma once
// Tables of texts and values, as CSV or JSON Lines, with the place of every row.
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/json.h"

namespace tune::trainer::data {

// Whether the first record of a CSV names the columns.
enum class Header {
  kAlways,
  kNever,
  kIfNamed  // where one of its cells is one of TableForm::names, whatever its case
};

struct TableForm {
  Header header = Header::kAlways;
  std::vector<std::string> names;
};

struct Row {
  std::size_t line = 0;  // where it begins, from 1
  // One for each column: of a CSV texts; of JSON Lines any value, null where a line has none of that name.
  std::vector<Json> cells;
};

// A value with its names; immutable once read.
struct Table {
  std::filesystem::path file;
  bool has_header = true;            // JSON Lines always have one
  std::vector<std::string> columns;  // without a header "1", "2" and so on
  std::vector<Row> rows;

  // Where a person finds the row: "data.csv, line 3".
  std::string place(const Row& row) const;
  // The column of that name, as it is written, else the only one that differs in case alone.
  std::optional<std::size_t> find(const std::string& name) const;
  // The same; throws Error(kBadData) with the names there are. `key` says who asked: "trainer.text".
  std::size_t column(const std::string& name, const std::string& key) const;
};

// A cell that should hold a text: texts as they are, numbers and true or false as JSON writes them. nullopt
// for null, lists and objects.
std::optional<std::string> text_of(const Json& cell);

// A file whose first character is "{" is JSON Lines: an object in each line, empty lines passed over, columns
// in the order of their first appearance. Every other is a CSV of RFC 4180 in UTF-8 (or UTF-16 and UTF-32
// with a mark), where white space around texts belongs to them, though not around a header's names. Throws
// Error(kBadData) with file, line and cure for: no row, another encoding, a quote that is not closed, a row
// with more or fewer cells than the first, a column that is there twice or has no name, a line that is no
// object, what is JSON but no JSON Lines.
Table read_table(const std::filesystem::path& file, const TableForm& form = {});

}  // namespace tune::trainer::data

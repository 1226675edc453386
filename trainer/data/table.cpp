#include "trainer/data/table.h"

#include <algorithm>
#include <map>
#include <set>

#include "trainer/data/csv.h"
#include "trainer/data/problems.h"
#include "trainer/data/text_file.h"
#include "tuner/core/characters.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/json_positions.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::data {
namespace {

namespace fs = std::filesystem;

std::string place_of(const fs::path& file, std::size_t line) {
  return file.string() + ", line " + std::to_string(line);
}

std::string cells(std::size_t count) { return std::to_string(count) + (count == 1 ? " cell" : " cells"); }

void check_encoding(const fs::path& file, std::string_view text) {
  const std::size_t end = std::min(end_of_utf8(text), text.find('\0'));
  if (end >= text.size()) return;
  const std::string_view before = text.substr(0, end);
  std::size_t line = 1;
  for (std::size_t i = 0; i < before.size(); ++i)
    line += before[i] == '\n' || (before[i] == '\r' && text[i + 1] != '\n');
  if (text[end] == '\0')
    throw Error(ExitCode::kBadData,
                place_of(file, line) + ": a character is NUL, as those of UTF-16 seem to be",
                "Write the file as UTF-8: where it is UTF-16, `iconv -f UTF-16LE -t UTF-8 " +
                    file.filename().string() + "` does; else take the character out.");
  throw Error(ExitCode::kBadData, place_of(file, line) + ": a character is not UTF-8",
              "Write the file as UTF-8: where it is Latin 1, `iconv -f LATIN1 -t UTF-8 " +
                  file.filename().string() + "` does.");
}

// Reads a CSV; lives for one call.
class CsvTable {
 public:
  CsvTable(const fs::path& file, std::string_view text, const TableForm& form)
      : file_(file), form_(form), records_(parse_csv(text, file.string(), Around::kText)) {}

  Table read() {
    Table table{file_, false, {}, {}};
    if (records_.empty()) return table;
    table.has_header = has_header();
    const std::size_t width = records_.front().cells.size();
    if (table.has_header)
      table.columns = names();
    else
      for (std::size_t i = 1; i <= width; ++i) table.columns.push_back(std::to_string(i));
    Problems problems;
    for (std::size_t i = table.has_header ? 1 : 0; i < records_.size(); ++i) {
      CsvRecord& record = records_[i];
      if (record.cells.size() != width) {
        problems.add(place_of(file_, record.line) + ": it has " + cells(record.cells.size()) +
                     ", and the first row has " + std::to_string(width));
        continue;
      }
      Row row{record.line, {}};
      for (std::string& cell : record.cells) row.cells.emplace_back(std::move(cell));
      table.rows.push_back(std::move(row));
    }
    problems.throw_if_any("the table cannot be read", "Put quotes around cells that hold commas.");
    return table;
  }

 private:
  bool has_header() const {
    if (form_.header != Header::kIfNamed) return form_.header == Header::kAlways;
    const std::vector<std::string>& first = records_.front().cells;
    return std::any_of(first.begin(), first.end(), [&](const std::string& cell) {
      const std::string name = lower_case(trimmed(cell));
      return std::any_of(form_.names.begin(), form_.names.end(),
                         [&](const std::string& known) { return lower_case(known) == name; });
    });
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    std::set<std::string> seen;
    const std::string where = place_of(file_, records_.front().line) + ": ";
    for (const std::string& cell : records_.front().cells) {
      names.push_back(trimmed(cell));
      if (names.back().empty())
        throw Error(ExitCode::kBadData, where + "column " + std::to_string(names.size()) + " has no name",
                    "Name every column in the first row.");
      if (!seen.insert(names.back()).second)
        throw Error(ExitCode::kBadData, where + "the column " + in_quotes(names.back()) + " is there twice",
                    "Name each column once.");
    }
    return names;
  }

  const fs::path& file_;
  const TableForm& form_;
  std::vector<CsvRecord> records_;
};

// Reads JSON Lines; lives for one call.
class JsonLinesTable {
 public:
  JsonLinesTable(const fs::path& file, std::string_view text) : file_(file), text_(text) {}

  Table read() {
    table_.file = file_;
    std::size_t number = 0;
    // Ends of lines within texts are escaped in JSON, so each line is a whole value.
    for (std::string_view rest = text_; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(rest.size(), end + 1));
      ++number;
      if (!trimmed(line).empty()) read_line(line, number);
    }
    for (Row& row : table_.rows) row.cells.resize(table_.columns.size());
    return std::move(table_);
  }

 private:
  void read_line(std::string_view line, std::size_t number) {
    StrictJson json = parse_strictly(line);
    if (json.fault) refuse(*json.fault, number);
    if (!json.value.is_object())
      throw Error(ExitCode::kBadData, place_of(file_, number) + ": it is no object",
                  R"(Each line is one, such as {"text": "...", "label": "..."}.)");
    Row row{number, std::vector<Json>(table_.columns.size())};
    for (auto& [name, value] : json.value.items()) {
      const auto [at, is_new] = column_of_.emplace(name, table_.columns.size());
      if (is_new) {
        table_.columns.push_back(name);
        row.cells.emplace_back();
      }
      row.cells[at->second] = std::move(value);
    }
    table_.rows.push_back(std::move(row));
  }

  [[noreturn]] void refuse(const JsonFault& fault, std::size_t number) const {
    const Problem& problem = fault.problem;
    throw Error(ExitCode::kBadData,
                place_of(file_, number) + ", column " + std::to_string(problem.column) + ": " +
                    (fault.is_syntax ? "it is not JSON: " : "") + problem.message,
                problem.hint.empty() ? "JSON Lines have one object in each line." : problem.hint + ".");
  }

  const fs::path& file_;
  std::string_view text_;
  std::map<std::string, std::size_t> column_of_;
  Table table_;
};

}  // namespace

std::string Table::place(const Row& row) const { return place_of(file, row.line); }

std::optional<std::size_t> Table::find(const std::string& name) const {
  const auto exact = std::find(columns.begin(), columns.end(), name);
  if (exact != columns.end()) return static_cast<std::size_t>(exact - columns.begin());
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (lower_case(columns[i]) == lower_case(name)) {
      if (found) return std::nullopt;
      found = i;
    }
  return found;
}

std::size_t Table::column(const std::string& name, const std::string& key) const {
  if (const auto found = find(name)) return *found;
  throw Error(ExitCode::kBadData,
              file.string() + " has no column " + in_quotes(name) + ", which " + key + " names",
              has_header ? name_hint(name, columns, "columns")
                         : "It has no header either: name the columns in its first row.");
}

std::optional<std::string> text_of(const Json& cell) {
  if (cell.is_string()) return cell.get<std::string>();
  if (cell.is_null() || cell.is_structured()) return std::nullopt;
  return argument_text(cell);
}

Table read_table(const fs::path& file, const TableForm& form) {
  const std::string text = read_text(file);
  check_encoding(file, text);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != text.npos && text[first] == '[') {
    const StrictJson whole = parse_strictly(text);
    if (!whole.fault)
      throw Error(
          ExitCode::kBadData, file.string() + " is a JSON list, not JSON Lines",
          "Write each element in a line of its own: `jq -c '.[]' " + file.filename().string() + "` does.");
  }
  const bool is_json = first != text.npos && text[first] == '{';
  Table table = is_json ? JsonLinesTable(file, text).read() : CsvTable(file, text, form).read();
  if (table.rows.empty())
    throw Error(ExitCode::kBadData, file.string() + " has no row",
                "A table has one row at least, beside the names of its columns.");
  return table;
}

}  // namespace tune::trainer::data

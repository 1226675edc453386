#include "tuner/cli/points_table.h"

#include <algorithm>

#include "tuner/core/bounded_json.h"
#include "tuner/core/error.h"

namespace tune::cli {
namespace {

struct Row {
  int line = 1;
  std::vector<std::string> cells;
};

// Quoted cells may hold commas, line ends and doubled quotes.
std::vector<Row> rows_of(const std::string& text, const std::string& name) {
  std::vector<Row> rows;
  Row row;
  std::string cell;
  int line = 1, quote_line = 0;
  bool quoted = false, any = false;
  const auto end_row = [&] {
    row.cells.push_back(std::move(cell));
    const bool is_blank = row.cells.size() == 1 && row.cells[0].empty();
    if (!is_blank) rows.push_back(std::move(row));
    row = Row{line, {}};
    cell.clear();
    any = false;
  };
  for (std::size_t i = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        cell += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        cell += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"' && cell.empty()) {
      quoted = any = true;
      quote_line = line;
    } else if (c == ',') {
      row.cells.push_back(std::move(cell));
      cell.clear();
      any = true;
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      cell += c;
      any = true;
    }
  }
  if (quoted)
    throw Error(ExitCode::kUsage, name + ":" + std::to_string(quote_line) + ": a quote is not closed");
  if (any) end_row();
  return rows;
}

Json value_of(const std::string& cell) {
  BoundedJson json = parse_bounded_json(cell);
  return json.problem.empty() ? std::move(json.value) : Json(cell);
}

}  // namespace

PointsTable read_points_table(const std::string& text, const std::string& name, const Json& parameters) {
  const std::vector<Row> rows = rows_of(text, name);
  if (rows.size() < 2)
    throw Error(ExitCode::kUsage, name + " has no rows",
                "the first line names the parameters, each other is a trial");
  const std::vector<std::string>& names = rows[0].cells;
  PointsTable table;
  std::size_t known = 0;
  for (std::size_t column = 0; column < names.size(); ++column) {
    if (std::count(names.begin(), names.end(), names[column]) > 1)
      throw Error(ExitCode::kUsage, name + ":1: the column \"" + names[column] + "\" is there twice");
    if (parameters.contains(names[column]))
      ++known;
    else
      table.left_out.push_back(names[column]);
  }
  if (known == 0)
    throw Error(ExitCode::kUsage, name + ":1: no column names a parameter of the study",
                "the first line names the parameters, as `tune trials STUDY --csv` does");
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const Row& row = rows[i];
    if (row.cells.size() != names.size())
      throw Error(ExitCode::kUsage, name + ":" + std::to_string(row.line) + ": " +
                                        std::to_string(row.cells.size()) + " cells, but the first line has " +
                                        std::to_string(names.size()));
    Json point = Json::object();
    for (std::size_t column = 0; column < names.size(); ++column)
      if (parameters.contains(names[column]) && !row.cells[column].empty())
        point[names[column]] = value_of(row.cells[column]);
    table.points.push_back(std::move(point));
  }
  return table;
}

}  // namespace tune::cli

#include "tuner/cli/points_table.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>

#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/number_text.h"
#include "tuner/core/visible_text.h"

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
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      ++line;
      end_row();
    }
  }
  if (quoted)
    throw Error(ExitCode::kUsage, name + ":" + std::to_string(quote_line) + ": a quote is not closed");
  if (any) end_row();
  return rows;
}

// nullopt for what is no number.
std::optional<Json> number_of(std::string text) {
  if (text.starts_with('+')) text.erase(0, 1);
  std::int64_t whole = 0;
  const char* const end = text.data() + text.size();
  if (const auto [at, error] = std::from_chars(text.data(), end, whole); error == std::errc() && at == end)
    return Json(whole);
  const auto number = finite_number_in(text);
  return number ? std::optional(Json(*number)) : std::nullopt;
}

// A value of the parameter as a cell writes it: a text without quotes, anything else as JSON.
Json value_of(const Parameter& parameter, const std::string& cell, const std::string& place) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ExitCode::kUsage, place + ": \"" + visible_text(cell) + "\" " + why,
                "give a value of " + parameter.name);
  };
  if (parameter.type != ParameterType::kCategorical) {
    const auto number = number_of(cell);
    if (!number) refuse("is not a number");
    return *number;
  }
  std::optional<Json> found;
  for (const Json& value : parameter.values) {
    const std::string written = argument_text(value);
    if (cell != written && cell != visible_text(written, LineBreaks::kKeep)) continue;
    if (found) refuse("may be a text or another value of " + parameter.name);
    found = value;
  }
  if (!found) refuse("is none of the values of " + parameter.name);
  return *found;
}

constexpr std::string_view kPrefix = "parameter:";

// The parameter that the column is of; nullopt where it is of none.
std::optional<std::size_t> parameter_of(std::string column, const std::vector<std::string>& names,
                                        const SearchSpace& space) {
  const bool is_another = std::find(names.begin(), names.end(), std::string(kPrefix) + column) != names.end();
  if (is_another) return std::nullopt;
  while (column.starts_with(kPrefix)) column.erase(0, kPrefix.size());  // no name has a colon
  return space.find(column);
}

[[noreturn]] void refuse_column(const std::string& column, const std::string& name,
                                const SearchSpace& space) {
  std::vector<std::string> parameters;
  for (const Parameter& parameter : space.parameters()) parameters.push_back(parameter.name);
  throw Error(ExitCode::kUsage,
              name + ":1: the column \"" + visible_text(column) +
                  "\" is no parameter of the study, and none that `tune trials STUDY --csv` writes",
              name_hint(column, parameters, "its parameters") + "; or take the column out");
}

bool may_be_empty_text(const Parameter& parameter) {
  return std::find(parameter.values.begin(), parameter.values.end(), Json("")) != parameter.values.end();
}

}  // namespace

PointsTable read_points_table(const std::string& text, const std::string& name, const SearchSpace& space,
                              const std::vector<std::string>& others) {
  const std::vector<Row> rows = rows_of(text, name);
  if (rows.size() < 2)
    throw Error(ExitCode::kUsage, name + " has no rows",
                "the first line names the parameters, each other is a trial");
  const std::vector<std::string>& names = rows[0].cells;
  PointsTable table;
  std::vector<std::optional<std::size_t>> columns;  // of parameters
  for (const std::string& column : names) {
    if (std::count(names.begin(), names.end(), column) > 1)
      throw Error(ExitCode::kUsage, name + ":1: the column \"" + visible_text(column) + "\" is there twice");
    columns.push_back(parameter_of(column, names, space));
    if (columns.back()) continue;
    if (std::find(others.begin(), others.end(), column) == others.end()) refuse_column(column, name, space);
    table.left_out.push_back(column);
  }
  if (table.left_out.size() == names.size())
    throw Error(ExitCode::kUsage, name + ":1: no column names a parameter of the study",
                "the first line names the parameters, as `tune trials STUDY --csv` does");
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const std::string place = name + ":" + std::to_string(row.line);
    if (row.cells.size() != names.size())
      throw Error(ExitCode::kUsage, place + ": " + std::to_string(row.cells.size()) +
                                        " cells, but the first line has " + std::to_string(names.size()));
    ParameterSet point;
    std::set<std::size_t> empty;  // parameters
    for (std::size_t column = 0; column < names.size(); ++column) {
      if (!columns[column]) continue;
      const Parameter& parameter = space.parameters()[*columns[column]];
      const std::string& cell = row.cells[column];
      if (cell.empty())
        empty.insert(*columns[column]);
      else
        point[parameter.name] = value_of(parameter, cell, place);
    }
    // Where the empty text is a value, an empty cell is that, unless the parameter is no part of the point.
    for (const std::size_t index : space.dependency_order()) {
      const Parameter& parameter = space.parameters()[index];
      if (empty.contains(index) && may_be_empty_text(parameter) && space.is_active(index, point))
        point[parameter.name] = "";
    }
    table.points.push_back(Json(point));
    table.places.push_back(visible_text(place));  // for JSON, and a file's name may be no UTF-8
  }
  return table;
}

}  // namespace tune::cli

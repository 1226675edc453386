#pragma once
// Hyperparameters as a table (CSV, RFC 4180): one trial a row.
#include <string>
#include <vector>

#include "tuner/core/json.h"
#include "tuner/core/space.h"

namespace tune::cli {

struct PointsTable {
  Json points = Json::array();        // objects; an empty cell leaves its parameter out
  Json places = Json::array();        // of each: "points.csv:2"
  std::vector<std::string> left_out;  // columns that name no parameter
};

// The table of `tune trials --csv` may come back as it is: there "parameter:NAME" is a parameter whose name
// is another column's too. A cell is read as its parameter's values are written. Throws Error(kUsage), with
// the line, for an unclosed quote, a row of another width, a column that is there twice, a cell that is no
// value of its parameter, a table without rows or parameters.
PointsTable read_points_table(const std::string& text, const std::string& name, const SearchSpace& space);

}  // namespace tune::cli

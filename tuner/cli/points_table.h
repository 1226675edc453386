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
  std::vector<std::string> left_out;  // columns that are no parameters, each one of `others`
};

// The table of `tune trials --csv` comes back as it is: there "parameter:NAME" is a parameter whose name is
// another column's too, and `others` are the titles of that table, which need not be parameters. A cell is
// read as its parameter's values are written there. Throws Error(kUsage), with the line, for a column that is
// neither (a name that was misspelt would go unseen), an unclosed quote, a row of another width, a column
// that is there twice, a cell that is no value of its parameter, a table without rows or parameters.
PointsTable read_points_table(const std::string& text, const std::string& name, const SearchSpace& space,
                              const std::vector<std::string>& others);

}  // namespace tune::cli

#pragma once
// Hyperparameters as a table (CSV, RFC 4180): one trial a row.
#include <string>
#include <vector>

#include "tuner/core/json.h"

namespace tune::cli {

struct PointsTable {
  Json points = Json::array();        // objects; an empty cell leaves its parameter out
  std::vector<std::string> left_out;  // columns that name no parameter
};

// `parameters` is the spec's section: only its names are taken, so that the table of `tune trials --csv` may
// come back as it is. A cell is a JSON value where it reads as one, else a text. Throws Error(kUsage), with
// the line, for an unclosed quote, a row of another width, a column that is there twice, or a table without
// rows or parameters.
PointsTable read_points_table(const std::string& text, const std::string& name, const Json& parameters);

}  // namespace tune::cli

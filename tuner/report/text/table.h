#pragma once
// Tables of texts: aligned for people, CSV for programs.
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/visible_text.h"

namespace tune::report {

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kLeft;
  bool flexible = false;  // may be cut first where the table is too wide
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // one cell a column
};

// Lines with a title line, columns two spaces apart, at most `width` columns wide (0: as wide as it takes):
// flexible columns are cut first, then the line's end; a cut ends in "…". Control characters are replaced.
std::string text_table(const Table& table, int width);
// RFC 4180: CRLF, quotes around cells that need them, quotes doubled.
std::string csv_table(const Table& table);

// Columns that a text takes on a terminal: code points, wide East Asian ones and combining marks not told
// apart.
std::size_t display_width(std::string_view text);
// At most `width` columns; a cut text ends in "…".
std::string cut_to_width(std::string_view text, std::size_t width);

}  // namespace tune::report

#pragma once
// A report as a list of parts, free of how it is shown. document_html and document_markdown show it.
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tuner/report/page/chart.h"
#include "tuner/report/page/model_blocks.h"
#include "tuner/report/text/table.h"

namespace tune::report {

struct Paragraph {
  std::string text;
};

// Names and what stands for them: a table of two columns without titles.
struct Facts {
  std::string caption;
  std::vector<std::pair<std::string, std::string>> rows;
};

struct TableBlock {
  std::string caption;
  Table table;
  bool is_folded = false;  // on a page: shown when asked for
};

// Shares of a whole, in per cent, with a bar for each.
struct Shares {
  std::string caption;
  std::vector<std::pair<std::string, double>> rows;  // each in [0, 1]
};

// Charts side by side where there is room for several.
struct Figures {
  std::vector<Chart> charts;
};

using Block = std::variant<Paragraph, Facts, TableBlock, Shares, Figures, Intervals, Matrices, Pictures>;

struct Section {
  std::string id;  // of letters, digits and '-'
  std::string title;
  std::vector<Block> blocks;
};

// A number that is seen first.
struct Tile {
  std::string label, value, note;
};

struct Document {
  std::string title, subtitle;
  std::vector<Tile> tiles;
  std::vector<Section> sections;
  std::string colophon;  // what made it, and when
};

// One HTML file that needs no other: style, script and charts inside, no network.
std::string document_html(const Document& document);
// The same for places that know Markdown with tables (GitHub's). Charts are there as what they say.
std::string document_markdown(const Document& document);

}  // namespace tune::report

#include "tuner/report/page/document.h"
#include "tuner/report/page/escape.h"
#include "tuner/report/page/markup.h"
#include "tuner/report/text/format.h"

namespace tune::report {
namespace {

struct Writer {
  std::string operator()(const Intervals& intervals) const { return intervals_markdown(intervals); }
  std::string operator()(const Matrices& matrices) const { return matrices_markdown(matrices); }
  std::string operator()(const Pictures& pictures) const { return pictures_markdown(pictures); }
  std::string operator()(const Paragraph& paragraph) const {
    return markdown_escaped(paragraph.text) + "\n\n";
  }
  std::string operator()(const Facts& facts) const {
    Table table{{{"", Align::kLeft}, {"", Align::kLeft}}, {}};
    for (const auto& [name, value] : facts.rows) table.rows.push_back({name, value});
    return captioned(facts.caption, markdown_table(table));
  }
  std::string operator()(const TableBlock& block) const {
    return captioned(block.caption, markdown_table(block.table));
  }
  std::string operator()(const Shares& shares) const {
    Table table{{{"", Align::kLeft}, {"share", Align::kRight}}, {}};
    for (const auto& [name, share] : shares.rows) table.rows.push_back({name, percent_text(share)});
    return captioned(shares.caption, markdown_table(table));
  }
  std::string operator()(const Figures& figures) const {
    std::string text;
    for (const Chart& chart : figures.charts) {
      text += "**" + markdown_escaped(chart.title) + ".** " + markdown_escaped(chart.summary);
      if (!chart.note.empty()) text += ' ' + markdown_escaped(chart.note);
      text += "\n\n";
    }
    return text;
  }
};

}  // namespace

std::string document_markdown(const Document& document) {
  std::string text =
      "# " + markdown_escaped(document.title) + "\n\n" + markdown_escaped(document.subtitle) + "\n\n";
  Table tiles{{{"", Align::kLeft}, {"", Align::kRight}, {"", Align::kLeft}}, {}};
  for (const Tile& tile : document.tiles) tiles.rows.push_back({tile.label, tile.value, tile.note});
  if (!tiles.rows.empty()) text += markdown_table(tiles) + '\n';
  for (const Section& section : document.sections) {
    text += "## " + markdown_escaped(section.title) + "\n\n";
    for (const Block& block : section.blocks) text += std::visit(Writer{}, block);
  }
  return text + "---\n\n" + markdown_escaped(document.colophon) + '\n';
}

}  // namespace tune::report

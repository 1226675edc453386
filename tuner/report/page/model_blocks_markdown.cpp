#include "tuner/core/number_text.h"
#include "tuner/report/page/escape.h"
#include "tuner/report/page/markup.h"
#include "tuner/report/page/model_blocks.h"
#include "tuner/report/text/format.h"

namespace tune::report {
namespace {

std::string boxes_text(const PicturePanel& panel) {
  std::string text;
  for (const PictureBox& box : panel.boxes)
    text += (text.empty() ? "" : ", ") + box.label + (box.confidence.empty() ? "" : " " + box.confidence) +
            (box.is_wrong ? " (wrong)" : "");
  if (!panel.note.empty()) text += (text.empty() ? "" : "; ") + panel.note;
  return text;
}

}  // namespace

std::string pictures_markdown(const Pictures& pictures) {
  std::string text = markdown_escaped(pictures.caption) + " The pictures are in the HTML file.\n\n";
  for (const Picture& picture : pictures.pictures) {
    Table table{{{"", Align::kLeft}, {"boxes", Align::kLeft}}, {}};
    for (const PicturePanel& panel : picture.panels) table.rows.push_back({panel.title, boxes_text(panel)});
    text +=
        captioned(picture.title, (picture.missing.empty() ? "" : markdown_escaped(picture.missing) + "\n\n") +
                                     (table.rows.empty() ? "" : markdown_table(table)));
  }
  return text;
}

std::string matrices_markdown(const Matrices& matrices) {
  std::string text = markdown_escaped(matrices.caption) + "\n\n";
  for (const Matrix& matrix : matrices.matrices) {
    Table table{{{matrices.rows_are, Align::kLeft}}, {}};
    for (const std::string& label : matrices.labels) table.columns.push_back({label, Align::kRight});
    for (std::size_t r = 0; r < matrices.labels.size(); ++r) {
      auto& row = table.rows.emplace_back();
      row.push_back(matrices.labels[r]);
      for (const std::int64_t count : matrix.counts[r]) row.push_back(std::to_string(count));
    }
    text += captioned(matrix.title, markdown_table(table));
  }
  return text;
}

std::string intervals_markdown(const Intervals& intervals) {
  Table table{{{"difference", Align::kLeft},
               {"low", Align::kRight},
               {"value", Align::kRight},
               {"high", Align::kRight},
               {"verdict", Align::kLeft}},
              {}};
  const auto cell = [](const std::optional<double>& value) { return value ? number_text(*value) : "-"; };
  for (const IntervalRow& row : intervals.rows)
    table.rows.push_back({row.name, cell(row.low), number_text(row.value), cell(row.high), row.verdict});
  return captioned(intervals.caption, markdown_table(table));
}

}  // namespace tune::report

#pragma once
// Blocks of a document that show what models do: pictures with boxes, what is taken for what, and how far the
// models differ, with intervals.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tune::report {

// A box in pixels of its picture.
struct PictureBox {
  double x = 0, y = 0, width = 0, height = 0;
  std::string label;       // of its class
  std::size_t tone = 0;    // which colour: that of its class
  std::string confidence;  // "0.92"; empty for a true object
  bool is_wrong = false;   // drawn broken
};

// One view of a picture: the true objects, or what one model found.
struct PicturePanel {
  std::string title;
  std::vector<PictureBox> boxes;
  std::string note;  // in place of boxes, or about those left out; may be empty
};

struct Picture {
  std::string id;  // of letters, digits and '-'
  std::string title;
  int width = 0, height = 0;
  std::string media_type;  // "image/jpeg"
  std::string bytes;       // of the file; empty: it cannot be shown
  std::string missing;     // why not
  std::vector<PicturePanel> panels;
};

struct Pictures {
  std::string caption;
  std::vector<std::string> keys;  // the label of each tone
  std::vector<Picture> pictures;
};

struct Matrix {
  std::string title;
  std::vector<std::vector<std::int64_t>> counts;  // [labels][labels]
};

// Square matrices over the same labels, side by side; each cell is shaded by its share of its row.
struct Matrices {
  std::string caption, rows_are, columns_are;
  std::vector<std::string> labels;
  std::vector<Matrix> matrices;
};

struct IntervalRow {
  std::string name, verdict;
  double value = 0;
  std::optional<double> low, high;
};

// Differences on one axis around zero.
struct Intervals {
  std::string caption;
  std::vector<IntervalRow> rows;
};
// How far the axis reaches to both sides of zero: to all ends, but not beyond both twice the largest
// difference and the narrowest interval, so that one that says nothing does not hide the others. Positive.
double reach_of(const Intervals& intervals);

// HTML of a block, for document_html().
std::string pictures_html(const Pictures& pictures);
std::string matrices_html(const Matrices& matrices);
std::string intervals_html(const Intervals& intervals);
// Markdown, for document_markdown().
std::string pictures_markdown(const Pictures& pictures);
std::string matrices_markdown(const Matrices& matrices);
std::string intervals_markdown(const Intervals& intervals);

}  // namespace tune::report

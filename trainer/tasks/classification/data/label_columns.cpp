#include "trainer/tasks/classification/data/label_columns.h"

#include "trainer/data/text_file.h"

namespace tune::trainer::classification {

std::vector<std::string> labels_in_cell(const std::string& cell) {
  std::vector<std::string> labels;
  const char between = cell.find('|') != std::string::npos ? '|' : ';';
  for (std::size_t from = 0; from <= cell.size();) {
    const std::size_t to = std::min(cell.find(between, from), cell.size());
    if (std::string label = data::trimmed(cell.substr(from, to - from)); !label.empty())
      labels.push_back(std::move(label));
    from = to + 1;
  }
  return labels;
}

}  // namespace tune::trainer::classification

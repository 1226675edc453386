#include <algorithm>
#include <span>

#include "trainer/data/csv.h"
#include "trainer/data/part_names.h"
#include "trainer/data/text_file.h"
#include "trainer/tasks/classification/data/label_columns.h"
#include "trainer/tasks/image_classification/data/image_items.h"
#include "trainer/tasks/image_classification/data/listing.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

namespace fs = std::filesystem;
using classification::labels_in_cell;

// Reads one CSV; lives for one call.
class TableFile {
 public:
  TableFile(const fs::path& file, const ReadOptions& options)
      : file_(file), options_(options), records_(data::read_csv(file)) {}

  Listing list() {
    if (records_.empty())
      throw Error(ExitCode::kBadData, file_.string() + " has no row", "Write a path and a label in each.");
    find_columns();
    listing_.words = "a table of images, " + file_.filename().string();
    listing_.multi_label =
        options_.labels == Labels::kRequired && options_.multi_label.value_or(has_several());
    for (auto record = records_.begin() + (has_header_ ? 1 : 0); record != records_.end(); ++record) {
      where_ = file_.string() + ", line " + std::to_string(record->line);
      read(record->cells);
    }
    return std::move(listing_);
  }

 private:
  void refuse(const std::string& cause) {
    listing_.problems.push_back({where_ + ": " + cause, {}, std::nullopt, false});
  }

  std::optional<std::size_t> column_titled(std::span<const std::string_view> names) const {
    const std::vector<std::string>& header = records_.front().cells;
    for (std::size_t i = 0; i < header.size(); ++i)
      if (classification::is_titled(header[i], names)) return i;
    return std::nullopt;
  }

  void find_columns() {
    const auto path = column_titled(kPathColumns);
    label_ = column_titled(classification::kLabelColumns);
    has_header_ = path && (label_ || options_.labels == Labels::kIgnored);
    if (has_header_) {
      path_ = *path;
      part_ = column_titled(classification::kPartColumns);
      return warn_of_unused();
    }
    // Rows that begin with TRAIN, VALIDATION or TEST have the part first.
    const bool parts = std::all_of(records_.begin(), records_.end(), [](const data::CsvRecord& record) {
      return !data::part_of_folder(record.cells.front()).empty();
    });
    if (parts) part_ = 0;
    path_ = parts ? 1 : 0;
    label_ = path_ + 1;
    const std::size_t wanted = path_ + (options_.labels == Labels::kRequired ? 2 : 1);
    if (records_.front().cells.size() != wanted && options_.labels == Labels::kRequired)
      throw Error(ExitCode::kBadData,
                  file_.string() + ": the first row names no columns of paths and labels, and has " +
                      std::to_string(records_.front().cells.size()) + " cells, not a path and a label",
                  "Begin the table with a row such as `path,label` or `path,label,split`; cells have commas "
                  "between them.");
  }

  void warn_of_unused() {
    std::vector<std::string> unused;
    const std::vector<std::string>& header = records_.front().cells;
    for (std::size_t i = 0; i < header.size(); ++i)
      if (i != path_ && i != label_ && i != part_) unused.push_back("\"" + header[i] + "\"");
    if (!unused.empty() && options_.labels == Labels::kRequired)
      listing_.warnings.push_back(file_.string() + ": the columns " + data::listed_names(unused) +
                                  " are not used");
  }

  bool has_several() const {
    return std::any_of(records_.begin() + (has_header_ ? 1 : 0), records_.end(), [&](const auto& record) {
      return record.cells.size() > *label_ && labels_in_cell(record.cells[*label_]).size() > 1;
    });
  }

  void read(const std::vector<std::string>& cells) {
    const std::size_t columns = records_.front().cells.size();
    if (cells.size() != columns)
      return refuse("it has " + std::to_string(cells.size()) + " cells, and the first row has " +
                    std::to_string(columns) + "; quote cells that hold commas");
    const std::string& path = cells[path_];
    ListedImage image{
        listed_image(path, file_, where_, options_, listing_), data::with_slashes(path), {}, "", where_};
    if (part_) {
      image.part = data::part_of_folder(cells[*part_]);
      if (image.part.empty())
        return refuse("the part \"" + cells[*part_] + "\" is none of train, validation, test");
    }
    if (options_.labels == Labels::kRequired && !read_labels(cells[*label_], image)) return;
    if (!image.image.empty()) listing_.images.push_back(std::move(image));
  }

  bool read_labels(const std::string& cell, ListedImage& image) {
    image.labels = labels_in_cell(cell);
    if (listing_.multi_label) return true;
    if (image.labels.size() == 1) return true;
    refuse(image.labels.empty() ? "the label is empty; write the class of the image"
                                : "\"" + cell + "\" is several labels, where each image has one class");
    return false;
  }

  fs::path file_;
  const ReadOptions& options_;
  std::vector<data::CsvRecord> records_;
  std::size_t path_ = 0;
  std::optional<std::size_t> label_, part_;
  bool has_header_ = false;
  std::string where_;
  Listing listing_;
};

}  // namespace

Listing list_table(const fs::path& file, const ReadOptions& options) {
  return TableFile(file, options).list();
}

}  // namespace tune::trainer::image_classification

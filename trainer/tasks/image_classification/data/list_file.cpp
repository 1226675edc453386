#include <algorithm>

#include "trainer/data/folder_listing.h"
#include "trainer/data/text_file.h"
#include "trainer/data/written_values.h"
#include "trainer/tasks/image_classification/data/listing.h"

namespace tune::trainer::image_classification {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  for (std::size_t from = 0; from <= line.size();) {
    const std::size_t to = std::min(line.find('\t', from), line.size());
    cells.push_back(data::trimmed(line.substr(from, to - from)));
    from = to + 1;
  }
  return cells;
}

// Reads one .lst file; lives for one call.
class ListFile {
 public:
  ListFile(const fs::path& file, const ReadOptions& options) : file_(file), options_(options) {
    const fs::path folder = file.parent_path().empty() ? fs::path(".") : file.parent_path();
    if (options.labels == Labels::kIgnored) return;
    names_file_ = data::file_named(folder, {"synset.txt", "classes.txt", "labels.txt"}).value_or("");
    if (names_file_.empty()) return;
    for (const std::string& line : data::lines_of(data::read_text(names_file_)))
      if (const std::string name = data::trimmed(line); !name.empty()) names_.push_back(name);
  }

  Listing list() {
    listing_.words = "a list of images, " + file_.filename().string() +
                     (names_.empty() ? "" : ", with the names of " + names_file_.filename().string());
    listing_.classes = names_;
    listing_.numbered = names_.empty();
    std::size_t number = 0;
    for (const std::string& line : data::lines_of(data::read_text(file_))) {
      ++number;
      if (data::trimmed(line).empty()) continue;
      where_ = file_.string() + ", line " + std::to_string(number);
      read(cells_of(line));
    }
    return std::move(listing_);
  }

 private:
  void refuse(const std::string& cause) {
    listing_.problems.push_back({where_ + ": " + cause, {}, std::nullopt, false});
  }

  void read(const std::vector<std::string>& cells) {
    const bool labelled = options_.labels == Labels::kRequired;
    if (cells.size() < (labelled ? 3U : 2U))
      return refuse("it needs an index, a label and a path, with tabs between them");
    if (!data::whole_number(std::string_view(cells.front())))
      return refuse("the index \"" + cells.front() + "\" is no whole number");
    ListedImage image{listed_image(cells.back(), file_, where_, options_, listing_),
                      data::with_slashes(cells.back()),
                      {},
                      "",
                      where_};
    if (labelled && !read_labels({cells.begin() + 1, cells.end() - 1}, image)) return;
    if (!image.image.empty()) listing_.images.push_back(std::move(image));
  }

  // One number is the class; several are a 0 or 1 for each class.
  bool read_labels(const std::vector<std::string>& cells, ListedImage& image) {
    if (width_ == 0) width_ = cells.size();
    if (cells.size() != width_) {
      refuse("it has " + std::to_string(cells.size()) + " labels, and the first line has " +
             std::to_string(width_));
      return false;
    }
    listing_.multi_label = width_ > 1;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto number = data::whole_number(std::string_view(cells[i]));
      if (!number || *number < 0 || (width_ > 1 && *number > 1)) {
        refuse("the label \"" + cells[i] + "\" is no " +
               (width_ > 1 ? "0 or 1, of which there is one for each class" : "whole number from 0 on"));
        return false;
      }
      if (width_ > 1 && *number == 0) continue;
      const auto index = width_ > 1 ? i : static_cast<std::size_t>(*number);
      if (!names_.empty() && index >= names_.size()) {
        refuse("the label " + cells[i] + " has no name: " + names_file_.string() + " names " +
               std::to_string(names_.size()) + " classes, from 0 on");
        return false;
      }
      image.labels.push_back(names_.empty() ? std::to_string(index) : names_[index]);
    }
    return true;
  }

  fs::path file_, names_file_;
  const ReadOptions& options_;
  std::vector<std::string> names_;
  std::size_t width_ = 0;  // labels a line
  std::string where_;
  Listing listing_;
};

}  // namespace

Listing list_lst(const fs::path& file, const ReadOptions& options) { return ListFile(file, options).list(); }

}  // namespace tune::trainer::image_classification

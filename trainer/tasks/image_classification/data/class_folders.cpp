#include <algorithm>
#include <set>

#include "trainer/data/folder_listing.h"
#include "trainer/data/part_names.h"
#include "trainer/data/tally.h"
#include "trainer/images/image.h"
#include "trainer/tasks/image_classification/data/listing.h"
#include "tuner/core/characters.h"

namespace tune::trainer::image_classification {
namespace {

namespace fs = std::filesystem;

// A picture, and the folders below the data set that lead to it.
struct Found {
  fs::path image;
  std::vector<std::string> folders;
};

// "pit" for pit_12; "" where the name is not made like that.
std::string class_of_stem(const std::string& stem) {
  std::size_t digits = stem.size();
  while (digits > 0 && is_digit(stem[digits - 1])) --digits;
  return digits == stem.size() || digits < 2 || stem[digits - 1] != '_' ? "" : stem.substr(0, digits - 1);
}

// Lists one folder; lives for one call.
class ClassFolders {
 public:
  ClassFolders(const fs::path& folder, const ReadOptions& options)
      : folder_(folder),
        options_(options),
        by_folder_(options.labels == Labels::kRequired && options.classes_from == ClassesFrom::kFolder) {}

  std::optional<Listing> list() {
    data::Tally others;
    for (const fs::path& file : data::files_below(folder_))
      if (images::is_picture(file))
        add(file);
      else if (!data::has_extension(file, {".lst", ".csv"}))
        others.add(file.string());
    find_parts();
    const bool everything = options_.labels == Labels::kIgnored;
    const std::size_t depth = everything ? 0U : (has_parts_ ? 1U : 0U) + (by_folder_ ? 1U : 0U);
    const bool any = std::any_of(found_.begin(), found_.end(),
                                 [&](const Found& found) { return found.folders.size() >= depth; });
    if (!any) return std::nullopt;
    for (const Found& found : found_) list(found, depth);
    tell_words();
    beside_.tell(has_parts_ ? " image lies in no part and is passed over"
                            : " image lies in no folder of a class and is passed over",
                 has_parts_ ? " images lie in no part and are passed over"
                            : " images lie in no folder of a class and are passed over",
                 listing_.warnings);
    others.tell(" file is no image and is passed over", " files are no images and are passed over",
                listing_.warnings);
    warn_of_empty_folders();
    return std::move(listing_);
  }

 private:
  void add(const fs::path& image) {
    Found found{image, {}};
    for (const fs::path& piece : image.lexically_relative(folder_).parent_path())
      found.folders.push_back(piece.string());
    found_.push_back(std::move(found));
  }

  // train/ is a part where nothing but folders of classes lies in it, and else a class. Without train/ the
  // other names are parts where no other folder holds images. So a set has the same parts where its labels
  // are not looked at.
  void find_parts() {
    std::set<std::string> parts;
    const std::size_t least = options_.classes_from == ClassesFrom::kFolder ? 2 : 1;
    bool whole = true, others = false;
    for (const Found& found : found_) {
      const std::string part = found.folders.empty() ? "" : data::part_of_folder(found.folders.front());
      if (part.empty())
        others = true;
      else
        parts.insert(part);
      whole = whole && (part.empty() || found.folders.size() >= least);
    }
    has_parts_ = !parts.empty() && whole && (parts.contains("train") || !others);
    // A lone part is the whole set.
    names_parts_ = has_parts_ && (parts.size() > 1 || others);
  }

  void list(const Found& found, std::size_t depth) {
    const std::string part =
        has_parts_ && !found.folders.empty() ? data::part_of_folder(found.folders[0]) : "";
    const bool beside = found.folders.size() < depth || (has_parts_ && part.empty());
    if (beside && options_.labels == Labels::kRequired) return beside_.add(found.image.string());
    ListedImage image{found.image,
                      found.image.lexically_relative(folder_).generic_string(),
                      {},
                      names_parts_ ? part : "",
                      found.image.string()};
    if (by_folder_) image.labels = {found.folders[depth - 1]};
    if (!by_folder_ && options_.labels == Labels::kRequired) {
      image.labels = {class_of_stem(found.image.stem().string())};
      if (image.labels.front().empty()) {
        listing_.problems.push_back(
            {found.image.string() +
                 ": the name does not say a class, as in pit_12.jpg; rename it or take it out",
             found.image, std::nullopt, false});
        return;
      }
    }
    listing_.images.push_back(std::move(image));
  }

  void tell_words() {
    std::set<std::string> classes;
    for (const ListedImage& image : listing_.images)
      if (!image.labels.empty()) classes.insert(image.labels.front());
    if (options_.labels == Labels::kIgnored)
      listing_.words = "images alone";
    else
      listing_.words = (by_folder_ ? "a folder for each of " : "names of files for each of ") +
                       std::to_string(classes.size()) + (classes.size() == 1 ? " class" : " classes");
  }

  // A folder beside those of classes, without an image in it, is a class that somebody meant to fill.
  void warn_of_empty_folders() {
    if (!by_folder_) return;
    std::set<fs::path> filled;
    for (const Found& found : found_)
      for (fs::path at = folder_; const std::string& piece : found.folders) filled.insert(at /= piece);
    std::vector<fs::path> bases{folder_};
    if (has_parts_) {
      bases.clear();
      for (const fs::path& entry : data::entries_of(folder_))
        if (data::is_folder(entry) && !data::part_of_folder(entry.filename().string()).empty())
          bases.push_back(entry);
    }
    data::Tally empty;
    for (const fs::path& base : bases)
      for (const fs::path& entry : data::entries_of(base))
        if (data::is_folder(entry) && !filled.contains(entry)) empty.add(entry.string());
    empty.tell(" folder holds no image, and is no class", " folders hold no image, and are no classes",
               listing_.warnings);
  }

  fs::path folder_;
  const ReadOptions& options_;
  bool by_folder_;
  std::vector<Found> found_;
  bool has_parts_ = false, names_parts_ = false;
  data::Tally beside_;
  Listing listing_;
};

}  // namespace

std::optional<Listing> list_class_folders(const fs::path& folder, const ReadOptions& options) {
  return ClassFolders(folder, options).list();
}

}  // namespace tune::trainer::image_classification

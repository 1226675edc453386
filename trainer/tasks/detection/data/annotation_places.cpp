#include "trainer/tasks/detection/data/annotation_places.h"

#include "trainer/data/folder_listing.h"
#include "trainer/data/text_file.h"
#include "tuner/core/characters.h"

namespace fs = std::filesystem;

namespace tune::trainer::detection {

std::string stem_of(const fs::path& file) { return fs::path(file).replace_extension().generic_string(); }

AnnotationFiles::AnnotationFiles(const fs::path& folder, std::string_view extension) {
  for (const fs::path& file : data::files_below(folder))
    if (data::has_extension(file, {extension}) && lower_case(file.filename().string()) != "classes.txt")
      files_.emplace(stem_of(file.lexically_relative(folder)), file);
  for (const auto& [stem, file] : files_) bare_.emplace(fs::path(stem).filename().generic_string(), stem);
}

std::string AnnotationFiles::key_of(const std::string& stem) const {
  for (const std::string& key : {stem, fs::path(stem).filename().generic_string()})
    if (files_.contains(key)) return key;
  // An image in a folder more or less than its annotation.
  const auto found = bare_.find(stem);
  return found == bare_.end() ? "" : found->second;
}

fs::path AnnotationFiles::of(const std::string& stem) const {
  const auto found = files_.find(key_of(stem));
  return found == files_.end() ? fs::path() : found->second;
}

fs::path AnnotationFiles::take(const std::string& stem) {
  taken_.insert(key_of(stem));
  return of(stem);
}

std::vector<fs::path> AnnotationFiles::left() const {
  std::vector<fs::path> files;
  for (const auto& [stem, file] : files_)
    if (!taken_.contains(stem)) files.push_back(file);
  return files;
}

fs::path LabelPlaces::labels_beside(const fs::path& parent) {
  const auto [found, added] = known_.try_emplace(parent, "labels");
  if (added && data::is_folder(parent))
    if (const auto labels = data::folder_named(parent, {"labels"})) found->second = labels->filename();
  return found->second;
}

fs::path LabelPlaces::of(const fs::path& image) {
  fs::path label, normal = fs::path(image).lexically_normal();
  std::vector<fs::path> pieces(normal.begin(), normal.end());
  for (std::size_t i = pieces.size() - 1; i-- > 0;)
    if (lower_case(pieces[i].string()) == "images") {
      fs::path above;
      for (std::size_t j = 0; j < i; ++j) above /= pieces[j];
      pieces[i] = labels_beside(above.empty() ? fs::path(".") : above);
      break;
    }
  for (const fs::path& piece : pieces) label /= piece;
  return label.replace_extension(".txt");
}

}  // namespace tune::trainer::detection

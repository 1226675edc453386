#pragma once
// Which annotation file belongs to which image. Used by layout.cpp alone.
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tune::trainer::detection {

// a/b for a/b.jpg
std::string stem_of(const std::filesystem::path& file);

// The annotation files of a folder and those below it, by the path of their stem and by the bare stem.
class AnnotationFiles {
 public:
  AnnotationFiles(const std::filesystem::path& folder, std::string_view extension);
  // The file of the image with this stem below its own folder; an empty path where there is none.
  std::filesystem::path of(const std::string& stem) const;
  std::filesystem::path take(const std::string& stem);
  // Those that nobody took.
  std::vector<std::filesystem::path> left() const;

 private:
  std::string key_of(const std::string& stem) const;

  std::map<std::string, std::filesystem::path> files_;
  std::map<std::string, std::string> bare_;  // to the keys of files_
  std::set<std::string> taken_;
};

// Where the labels of an image lie as Ultralytics has it: the last images/ of its path becomes labels/ (or
// Labels/ where it is written so); without images/ they lie side by side.
class LabelPlaces {
 public:
  std::filesystem::path of(const std::filesystem::path& image);

 private:
  std::filesystem::path labels_beside(const std::filesystem::path& parent);
  std::map<std::filesystem::path, std::filesystem::path> known_;
};

}  // namespace tune::trainer::detection

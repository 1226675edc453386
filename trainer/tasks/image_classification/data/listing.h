#pragma once
// Images and the names of their classes as a data set on disk has them, before anybody asks whether that
// makes sense. Used by the sources of reader.h alone.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "trainer/data/problems.h"
#include "trainer/tasks/image_classification/data/reader.h"

namespace tune::trainer::image_classification {

struct ListedImage {
  std::filesystem::path image;
  std::string name;                 // as in Example
  std::vector<std::string> labels;  // names of classes
  std::string part;                 // as in Example
  std::string where;                // for messages: the list and its line, or the image
};

struct Listing {
  std::string words;  // what it was recognised as
  std::vector<ListedImage> images;
  std::vector<std::string> classes;  // of a file of names, in its order; empty: those that are met, sorted
  bool numbered = false;             // the names are numbers, and sorted as such
  bool multi_label = false;
  std::vector<data::DataProblem> problems;
  std::vector<std::string> warnings;
};

// Throws Error(kBadData) for what is no data set of images.
Listing list_images(const std::filesystem::path& data, const ReadOptions& options);

// The forms. nullopt: no image lies in a folder of a class.
std::optional<Listing> list_class_folders(const std::filesystem::path& folder, const ReadOptions& options);
Listing list_lst(const std::filesystem::path& file, const ReadOptions& options);
Listing list_table(const std::filesystem::path& file, const ReadOptions& options);

// The image that a list's line names, below the folder where its paths begin; an empty path with a problem
// where it leads out of that folder or to nothing.
std::filesystem::path listed_image(const std::string& text, const std::filesystem::path& list,
                                   const std::string& where, const ReadOptions& options, Listing& listing);

}  // namespace tune::trainer::image_classification

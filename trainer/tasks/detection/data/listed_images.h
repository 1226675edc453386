#pragma once
// Data sets whose images a data.yaml, or a list of paths, names. Used by layout.cpp alone.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "trainer/tasks/detection/data/annotation_places.h"
#include "trainer/tasks/detection/data/layout.h"

namespace tune::trainer::detection {

// Owned by what recognises one data set; lives for one call, on its thread.
class ListedImages {
 public:
  explicit ListedImages(bool labels) : labels_(labels) {}  // as in LayoutOptions
  // What a data.yaml of `folder` names. nullopt where there is no such file, or none of its training images
  // is there: then it gives the class names alone, and unused() says so.
  std::optional<Layout> of_yaml(const std::filesystem::path& file, const std::filesystem::path& folder);
  const std::string& unused() const { return unused_; }
  // What a list names, one path a line.
  Layout of_list(const std::filesystem::path& list);

 private:
  // Labels below the labels/ of these folders that no image asked for.
  void add_orphans(Layout& layout, const std::vector<std::filesystem::path>& folders);

  bool labels_;
  LabelPlaces places_;
  std::string unused_;
};

}  // namespace tune::trainer::detection

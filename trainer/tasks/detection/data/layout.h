#pragma once
// Which of the usual forms a data set on disk has: told by what lies there, not by two names of folders.
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "trainer/data/problems.h"
#include "trainer/tasks/detection/data/yolo_names.h"

namespace tune::trainer::detection {

// An image and where its annotation lies, if it has one.
struct ImagePlace {
  std::filesystem::path image, annotation;
  std::string name;             // below the folder of the images, as in "train/a.jpg"
  std::set<std::string> parts;  // of the set, see Layout::parts
};

// A COCO file and the folders in which its images are looked for, in this order.
struct CocoPlace {
  std::filesystem::path file;
  std::vector<std::filesystem::path> folders;
  std::string part;
};

struct Layout {
  enum class Kind { kVoc, kYolo, kCoco, kImages };
  Kind kind = Kind::kImages;
  std::string words;               // "PASCAL VOC: JPEGImages/ with Annotations/"
  std::vector<std::string> parts;  // of "train", "validation", "test", where the set has parts of its own
  std::vector<ImagePlace> images;  // by name; empty for COCO. The n-th has the id n
  std::vector<CocoPlace> files;    // for COCO
  std::optional<YoloNames> names;  // for YOLO
  std::vector<std::filesystem::path> orphans;  // annotations whose image does not exist
  std::vector<data::DataProblem> problems;     // of lists of images
  std::vector<std::string> warnings;

  bool has_part(const std::string& part) const;
  // An image with the name that it has below `base`; `annotation` may be empty.
  void add(const std::filesystem::path& image, const std::filesystem::path& annotation,
           const std::filesystem::path& base);
};

struct LayoutOptions {
  bool labels = true;  // false: images alone are a data set too
  std::filesystem::path
      images;  // where the images lie, for annotations whose images lie elsewhere; may be empty
};

// Opens lists and names, no annotation. Throws Error(kBadData) for what is none of the forms, saying what was
// found and what was expected.
Layout recognise(const std::filesystem::path& data, const LayoutOptions& options);

}  // namespace tune::trainer::detection

#pragma once
// A COCO file's content as it stands there, for training and for scoring alike.
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "trainer/data/problems.h"

namespace tune::trainer::detection {

struct CocoImage {
  std::string where;  // "FILE, images[3]"
  std::int64_t id = 0;
  std::string name;           // file_name with slashes; may be empty where it is not needed
  int width = 0, height = 0;  // 0 where the file does not say
};

struct CocoCategory {
  std::int64_t id = 0;
  std::string name;  // "category 4" where there is none and none is needed
};

struct CocoObject {
  std::string where;  // "FILE, annotations[7] (id 12)"
  std::int64_t image_id = 0, category_id = 0;
  std::array<double, 4> box{};  // x, y, width, height
  std::optional<double> area;
  bool crowd = false, difficult = false, id_is_zero = false;
};

struct CocoContent {
  std::vector<CocoImage> images;         // each id once
  std::vector<CocoCategory> categories;  // by id, each once; those that only group others are left out
  std::vector<CocoObject> objects;       // of images and categories that are listed
  std::vector<std::string> warnings;
};

enum class CocoUse {
  kTraining,    // images are files with names, categories have names; ids of annotations are nobody's
  kPrediction,  // the same without annotations
  kScoring,     // as pycocotools takes it: names may be missing, but an annotation's id must be its own
};

// What is wrong with entries goes to `problems`. Throws Error(kBadData) for what is no COCO file.
CocoContent read_coco_content(const std::filesystem::path& file, CocoUse use, data::Problems& problems);

}  // namespace tune::trainer::detection

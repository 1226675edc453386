#pragma once
// An object-detection data set in memory, whatever format it was read from.
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tune::trainer::detection {

// One annotated object. Coordinates are pixels of the original image, x to the right and y down, as
// continuous corner positions: 0 <= x1 < x2 <= width, 0 <= y1 < y2 <= height.
struct GroundTruth {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  int category = 0;        // 1-based index into Dataset::classes; 0 is background and never appears here
  double area = 0;         // pixels squared; the file's `area` where it has one, else (x2-x1)*(y2-y1)
  bool crowd = false;      // COCO's iscrowd
  bool difficult = false;  // VOC's difficult
};

struct Example {
  std::int64_t image_id = 0;  // the COCO file's id, else 1, 2, ... in the order of the whole set's names
  std::filesystem::path image;
  std::string name;                  // as the data set calls it: COCO's file_name, else below its folder
  int width = 0, height = 0;         // pixels
  std::vector<GroundTruth> objects;  // empty for an image without defects, and for unlabelled images
};

struct Dataset {
  std::vector<std::string> classes;        // category c is classes[c - 1]
  std::vector<std::int64_t> category_ids;  // the source file's id of each class; 1, 2, ... where it has none
  std::vector<Example> examples;           // ordered by image_id
  bool labelled = true;                    // false: a folder of images alone (for `predict`)
  std::vector<std::string> warnings;       // one sentence each, naming the file: clipped boxes and the like
  std::string form = {};                   // what it was recognised as, in one line
  // The part that each image belongs to, in a set with parts of its own.
  std::map<std::int64_t, std::set<std::string>> parts_of_images = {};
};

// The images of the examples, in their order.
std::vector<std::filesystem::path> files_of(const Dataset& dataset);

}  // namespace tune::trainer::detection

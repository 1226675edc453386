#pragma once
// What `tune-train score` compares, out of anybody's files: objects, detections, groups of images.
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "trainer/metrics/detection_boxes.h"
#include "trainer/tasks/detection/data/reader.h"

namespace tune::trainer::detection {

struct ImageFile {
  std::string name;            // as the data names it; may be empty in a COCO file
  std::filesystem::path path;  // empty where no such file was found
  int width = 0, height = 0;   // pixels; 0 where the data does not say
};

struct ScoreTruth {
  std::string place;  // the file or folder, for errors
  std::vector<metrics::TruthBox> boxes;
  std::vector<std::int64_t> images;         // ascending
  std::map<std::int64_t, ImageFile> files;  // by image id
  std::map<std::int64_t, int> categories;   // id to 0-based index, ascending by id
  std::vector<std::string> names;           // by that index; "category 4" where a COCO file has none
  bool has_id_zero = false;                 // see TruthBox::id_is_zero
  bool numbered_here = false;               // the data has no category ids of its own
  std::string form;                         // what it was recognised as
  std::vector<std::string> warnings;        // of its reading
};

// `data` is any data set with annotations that read_dataset() knows, or the part of it that the options name.
// A COCO JSON is taken number by number as pycocotools takes it, and needs no images. The options' classes,
// which may be empty, are class names in the order that category ids count them from 1, for data without ids
// of their own; without them such data's classes count in the order of their names. Throws Error(kBadData),
// or Error(kUsage) for several COCO files of which none was named.
ScoreTruth read_score_truth(const std::filesystem::path& data, const ReadOptions& options);

// Leaves out all images but these.
void keep_images(ScoreTruth& truth, const std::set<std::int64_t>& images);

// Detections in COCO's results format. Detections in images that were left out (`elsewhere`) are dropped, as
// are those of categories that a COCO file does not list (as pycocotools does), about which `warnings` gets
// one line. An image or a category that nobody has is Error(kBadData).
std::vector<metrics::DetectedBox> read_detections(const std::filesystem::path& file, const ScoreTruth& truth,
                                                  const std::set<std::int64_t>& elsewhere = {},
                                                  std::vector<std::string>* warnings = nullptr);

// The key "groups" of a JSON object: lists of image ids. Images that it does not name are groups of their
// own; ids that the truth does not hold are left out, but not all of them. Each group holds positions in
// truth.images. Throws Error(kBadData), for an image in two groups too.
std::vector<std::vector<std::uint32_t>> read_groups(const std::filesystem::path& file,
                                                    const ScoreTruth& truth);
std::vector<std::vector<std::uint32_t>> every_image_alone(const ScoreTruth& truth);

// The class names of a model's labels.json.
std::vector<std::string> read_labels(const std::filesystem::path& file);

}  // namespace tune::trainer::detection

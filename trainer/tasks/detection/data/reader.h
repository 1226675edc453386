#pragma once
// Reads detection data sets from disk: annotations and image headers, no pixels (those are ImageCache's).
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/data/problems.h"
#include "trainer/tasks/detection/data/dataset.h"
#include "trainer/tasks/detection/data/layout.h"

namespace tune::trainer::detection {

enum class Labels {
  kRequired,  // to train or to evaluate: at least one object somewhere
  kIgnored,   // to predict: annotations are not read, a folder of images alone will do
};

struct ReadOptions {
  Labels labels = Labels::kRequired;
  // The classes of a model or of the training set, in their order: categories match by name, and an object of
  // any other class is an error. Empty: the data set's own classes (COCO: in the order of its ids; VOC:
  // sorted by name).
  std::vector<std::string> classes;
  // Where problems go, all of them, instead of an exception: an audit reads on with what is left. An image
  // that cannot be read then has a width of 0, or no path where its file is missing.
  std::vector<data::DataProblem>* problems = nullptr;
  // The folder of the images, for annotations whose images lie elsewhere; empty: where they usually lie.
  std::filesystem::path images = {};
  // "train", "validation" or "test" of a set that has such parts of its own; empty: all of it.
  std::string part = {};
};

// What `data` is, told by what lies there (layout.h), names of folders in any case:
//   PASCAL VOC   images/ with annotations/, JPEGImages/ with Annotations/ and ImageSets/Main/ for the parts,
//                or NAME.xml beside each image
//   YOLO         images/ with labels/ (also images/train with labels/train and so on), what a data.yaml names
//                as train, val and test, or NAME.txt beside each image; names in data.yaml, classes.txt or
//                obj.names
//   COCO         FILE.json, or a folder with annotations.json, annotations/instances_*.json,
//                _annotations.coco.json or result.json
//   any of these in train/, valid/ and test/
//   with Labels::kIgnored images alone: a folder of them, or one
// Throws Error(kBadData) for anything else.
Layout layout_of(const std::filesystem::path& data, const ReadOptions& options = {});

// Reads the data set or one part of it. Images are JPEG, PNG, BMP, TIFF or WebP, whatever their names say.
// Those of a COCO file have its ids; others count from 1 in the order of their names below the folder of the
// images (byte by byte, folders included) over the whole set, also where one part is read.
//
// VOC coordinates are taken as they are: x1 = xmin and x2 = xmax with no shift by one, so the width is xmax -
// xmin, as in the published study of these steel surfaces. Boxes at most 1 pixel outside their image are
// clipped with a warning, boxes without area are left out and counted in one. In YOLO's labels an image
// without a file there has no objects, as those tools have it; a warning counts such images.
//
// Throws Error(kBadData) with up to 20 problems, each naming file, object, cause and cure: missing or damaged
// files, sizes that contradict the image, boxes outside or with negative sides, unknown classes, duplicate
// ids, an empty set; Error(kUsage) for a whole set of COCO files that use the same ids.
Dataset read_dataset(const std::filesystem::path& data, const ReadOptions& options = {});

// "data: steel is PASCAL VOC: images/ with annotations/; 300 images", for people.
std::string recognised(const std::filesystem::path& data, const Dataset& dataset);

// Where the image of that name lies; empty where it does not.
std::filesystem::path find_coco_image(const CocoPlace& place, const std::string& name);

}  // namespace tune::trainer::detection

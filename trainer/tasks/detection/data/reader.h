#pragma once
// Reads detection data sets from disk: annotations and image headers, no pixels (those are ImageCache's).
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/tasks/detection/data/dataset.h"
#include "trainer/tasks/detection/data/problems.h"

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
  std::vector<DataProblem>* problems = nullptr;
};

// `data` is one of
//   FOLDER with images/ and annotations/   PASCAL VOC: annotations/NAME.xml for each image
//   FOLDER with images/ and labels/        YOLO: labels/NAME.txt, and data.yaml or classes.txt
//   FOLDER with annotations.json, FILE.json   COCO; its images lie beside it, in images/ there, or in
//   ../images
//   FOLDER of images, or with images/      images alone, with Labels::kIgnored
// Images are JPEG or PNG (.jpg, .jpeg, .png in any case).
//
// VOC coordinates are taken as they are: x1 = xmin and x2 = xmax with no shift by one, so the width is xmax -
// xmin, as in the published study of these steel surfaces. Boxes at most 1 pixel outside their image are
// clipped with a warning. In YOLO's labels an image without a file there has no objects, as those tools have
// it; a warning counts such images.
//
// Throws Error(kBadData) with up to 20 problems, each naming file, object, cause and cure: missing or damaged
// files, sizes that contradict the image, boxes outside, boxes without area, unknown classes, duplicate ids,
// an empty set.
Dataset read_dataset(const std::filesystem::path& data, const ReadOptions& options = {});

}  // namespace tune::trainer::detection

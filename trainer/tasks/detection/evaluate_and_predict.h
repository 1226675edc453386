#pragma once
// What the commands `evaluate` and `predict` do with a finished model.
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "trainer/loop/task.h"
#include "trainer/tasks/detection/data_parts.h"
#include "trainer/tasks/detection/detector_facts.h"
#include "trainer/tasks/detection/inference.h"

namespace tune::trainer::detection {

struct Evaluation {
  Quality quality;
  std::vector<std::string> classes;
  std::size_t images = 0;
  double images_per_second = 0;  // from pixels to detections; reading and decoding apart
  std::string form;              // what the data was recognised as
  std::vector<std::string> warnings;
};

// The data that a model is used on.
struct DataChoice {
  std::filesystem::path data;
  std::optional<PartChoice> part = std::nullopt;  // all of it without
  std::filesystem::path images = {};              // see ReadOptions
};
// What --data, --split, --part and --images say.
DataChoice data_choice(const loop::Request& request);

// Both compute in fp32 on the first GPU that CUDA_VISIBLE_DEVICES names, where this LibTorch knows GPUs, and
// without that variable on the CPU: the caller that names a GPU holds it, as tune does for the models that it
// compares.

// Classes of `data` match the model's by name. Warnings go to `notes`.
Evaluation evaluate_model(const std::filesystem::path& model, const DataChoice& data, int threads,
                          std::ostream& notes);

struct Prediction {
  std::size_t images = 0, detections = 0;
  double seconds = 0;  // from the files to the detections, the facts apart
  std::optional<ModelFacts> facts;
  std::string device;
  std::string form;  // what the data was recognised as
  std::vector<std::string> warnings;
  std::size_t pictures = 0;  // drawn
};

struct PredictionChoice {
  std::filesystem::path output;    // may be empty where pictures are asked for
  std::filesystem::path pictures;  // an empty folder for an image each with its detections; may be empty
  double score_threshold = 0.01;
  int threads = 1;
  bool with_facts = false;
};

// Writes [{"image_id", "category_id", "bbox": [x, y, w, h], "score"}, ...] to the output. Ids are those of
// the COCO file where `data` is one (its categories match by name), else images count as read_dataset() says
// and categories in the order of labels.json. draw_detections() makes the pictures.
Prediction predict_with_model(const std::filesystem::path& model, const DataChoice& data,
                              const PredictionChoice& choice, std::ostream& notes);

}  // namespace tune::trainer::detection

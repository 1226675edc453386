#pragma once
// Measuring and using a finished model.
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "trainer/metrics/coco_map.h"
#include "trainer/tasks/detection/data_parts.h"

namespace tune::trainer::detection {

// `asked`, or for 0 as many as this process may run on. Throws Error(kUsage) for a negative number.
int threads_to_use(int asked);

struct Evaluation {
  metrics::CocoSummary coco;
  std::vector<std::string> classes;
  std::size_t images = 0;
  double images_per_second = 0;  // from pixels to detections; reading and decoding apart
};

// The data that a model is used on.
struct DataChoice {
  std::filesystem::path data;
  std::optional<PartChoice> part = std::nullopt;  // all of it without
};

// Classes of `data` match the model's by name. Runs on the CPU in fp32. Warnings go to `notes`.
Evaluation evaluate_model(const std::filesystem::path& model, const DataChoice& data, int threads,
                          std::ostream& notes);

struct Prediction {
  std::size_t images = 0, detections = 0;
};

// Writes [{"image_id", "category_id", "bbox": [x, y, w, h], "score"}, ...] to `output`. Ids are those of the
// COCO file where `data` is one (its categories match by name), else images count from 1 in the order of
// their names and categories in the order of labels.json.
Prediction predict_with_model(const std::filesystem::path& model, const DataChoice& data,
                              const std::filesystem::path& output, double score_threshold, int threads,
                              std::ostream& notes);

}  // namespace tune::trainer::detection

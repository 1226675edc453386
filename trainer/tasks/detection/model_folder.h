#pragma once
// A detector on disk: weights.safetensors, labels.json, preprocessing.json, model.json.
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "trainer/tasks/detection/detector.h"
#include "trainer/weights/state_dict.h"
#include "trainer/weights/weight_file.h"

namespace tune::trainer::detection {

// Writes all but model.json. The labels and the preprocessing, with default boxes that are not the model's
// stock ones, go into the weights' own header too, so that a weights file that is moved alone still says what
// it needs.
void write_model_files(const std::filesystem::path& folder, const weights::TensorMap& tensors,
                       const DetectorModel& model, const std::vector<std::string>& classes);

struct LoadedDetector {
  std::shared_ptr<const DetectorModel> kind;  // with the folder's default boxes
  std::vector<std::string> classes;
  std::unique_ptr<Detector> model;  // in eval mode, on the CPU
};

// Reads a folder to use it. Throws Error(kNotFound) when a file is missing, Error(kBadData) when files
// contradict each other or the weights do not fit the model.
LoadedDetector load_detector(const std::filesystem::path& folder);

// Starts the network of a detector from a weights file or a folder as above: whole detectors, or a ResNet or
// VGG-16 under torchvision's names for the backbone. The heads are kept only when the file's default boxes
// are the same, the classification head only when its classes are, too. What became of each tensor goes to
// `notes`. Throws Error(kBadData) when the file is another network's, holds weights in a dtype that stands
// for others, or was trained for another size or normalisation.
void initialise_from(torch::nn::Module& network, const std::filesystem::path& weights,
                     const DetectorModel& kind, const std::vector<std::string>& classes, std::ostream& notes);

// The dict of tensors in a file that fits a model of this kind best.
weights::WeightFile read_initial_weights(const std::filesystem::path& file, const DetectorModel& kind);

// What initialise_from() would take of a file for a model of this kind, without training anything. Where the
// file names no classes the classification head counts as missing. `place` names the file in errors.
weights::FitReport fit_report(const weights::WeightFile& content, const std::filesystem::path& place,
                              const DetectorModel& kind);

}  // namespace tune::trainer::detection

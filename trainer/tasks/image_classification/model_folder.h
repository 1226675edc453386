#pragma once
// A classifier on disk: weights.safetensors, labels.json, preprocessing.json, model.json.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "trainer/data/preprocessing.h"
#include "trainer/nn/image_classifier.h"
#include "trainer/weights/safetensors.h"
#include "tuner/core/json.h"

namespace tune::trainer::image_classification {

// Writes all but model.json. Labels and preprocessing go into the weights' own header too, so that a weights
// file that is moved alone still says what it needs.
void write_model_files(const std::filesystem::path& folder, const weights::TensorMap& tensors,
                       const std::string& model, const data::Preprocessing& preprocessing,
                       const std::vector<std::string>& classes, bool multi_label);

struct LoadedClassifier {
  std::string name;  // of the network
  data::Preprocessing preprocessing;
  std::vector<std::string> classes;
  bool multi_label = false;
  std::shared_ptr<nn::ImageClassifier> network;  // in eval mode, on the CPU
};

// Reads a folder to use it. Throws Error(kNotFound) when a file is missing, Error(kBadData) when files
// contradict each other or the weights do not fit the model.
LoadedClassifier load_classifier(const std::filesystem::path& folder);

}  // namespace tune::trainer::image_classification

#pragma once
// The networks that tell images apart which tune-train knows.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trainer/data/preprocessing.h"
#include "trainer/nn/cost.h"
#include "trainer/nn/image_classifier.h"

namespace tune::trainer::image_classification {

struct ClassifierModel {
  std::string name;  // the library's own
  std::string description;
  data::Preprocessing input;  // of the library's default weights
  int smallest_size;          // of the input's side, that the network has a place for
  bool one_size;              // it takes input.size and no other
  double dropout;             // before the head, as the library has it
  nn::Cost parameters;
  nn::Cost multiply_adds;  // of one forward pass over one image of input.size
  // A new network, in training mode and on the CPU. Weights are drawn from LibTorch's default generator. The
  // memory layout is channels_last.
  std::function<std::shared_ptr<nn::ImageClassifier>(std::int64_t classes, double dropout)> make;
};

const std::vector<ClassifierModel>& classifier_models();
// Throws Error(kBadSpec) with the names that there are.
const ClassifierModel& classifier_model(const std::string& name);
// Throws Error(kBadSpec) where images of that size do not fit it.
void check_input_size(const ClassifierModel& model, int size);
// The model's input at another size of its side, cut out of as large a share of the image. 0: its own. Throws
// as check_input_size().
data::Preprocessing input_at(const ClassifierModel& model, int size);

}  // namespace tune::trainer::image_classification

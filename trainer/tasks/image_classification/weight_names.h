#pragma once
// A classifier's tensors out of a file, under the network's own names.
#include <optional>
#include <string>
#include <vector>

#include "trainer/nn/image_classifier.h"
#include "trainer/tasks/image_classification/models.h"
#include "trainer/weights/weight_file.h"
#include "trainer/weights/weight_fit.h"

namespace tune::trainer::image_classification {

// Whether a tensor of a network, or of a file with its names, belongs to the head or to the body.
bool is_of_head(const nn::Stages& stages, std::string_view name);
// weight_fit() of the body: whatever is not the head's.
weights::WeightFit body_fit(const nn::ImageClassifier& network, const weights::TensorMap& tensors);

struct NamedWeights {
  weights::TensorMap tensors;
  std::string prefix;     // that was taken off
  bool by_order = false;  // the names are the network's, the file had others
};
// Names without what wrappers put before them; where few of them are the network's, but the file's tensors
// are the body's in order (shapes, and what the names end with), and after them the head's or nothing, they
// get the network's names.
NamedWeights named_weights(const nn::ImageClassifier& network, const weights::WeightFile& content);

// The models that the file could be of instead of `asked`, by name; those of a very different size are not
// built to find out.
std::vector<std::string> models_alike(const weights::WeightFile& content, const std::string& asked);

}  // namespace tune::trainer::image_classification

#pragma once
// Features of images by a network that is not trained: each image passes it once, whatever many epochs and
// trials look at them.
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "trainer/loop/device.h"
#include "trainer/nn/image_classifier.h"
#include "trainer/nn/normaliser.h"
#include "trainer/tasks/image_classification/feature_cache.h"
#include "tuner/core/json.h"

namespace tune::trainer::image_classification {

// uint8 [B, size, size, 3] of examples of a set by their indices, as an epoch shows them.
using Pixels = std::function<torch::Tensor(const std::vector<std::int64_t>& examples, std::int64_t epoch)>;

// A set of images that features are wanted of.
struct PictureSet {
  std::vector<std::filesystem::path> files;
  Pixels pixels;  // of these files, in their order
};

// Owned by one training, on the loop's thread. What is kept of it is known by its content alone: the images'
// bytes, the network's weights, all that turns the one into the other. So trials, processes and data sets
// that share images find them computed.
class FrozenFeatures {
 public:
  // `model` is on the device of `compute`, whose precision the features are computed in. `about` says what
  // else they depend on: the network's name, its preprocessing.
  FrozenFeatures(nn::ImageClassifier& model, const nn::Normaliser& normalise, const loop::Compute& compute,
                 Json about, FeatureCache& cache, std::ostream& notes, std::function<bool()> interrupted);

  // float [images, ...] of each set, its images as epoch 0 has them. Equal images are computed once. Throws
  // Error(kInterrupted) once `interrupted` says so.
  std::vector<torch::Tensor> of(const std::vector<PictureSet>& sets);
  // The same of one set as it looks in `epoch`, where its images are varied as `variation` says and no
  // trial's seed has a part in it.
  torch::Tensor of_view(const PictureSet& set, std::int64_t epoch, const Json& variation);

 private:
  // Where to find an image: a set, and an index in it.
  struct Place {
    std::size_t set = 0;
    std::int64_t index = 0;
  };
  std::vector<std::string> hashes_of(const std::vector<std::filesystem::path>& files) const;
  torch::Tensor kept_or_computed(const Json& what, const std::vector<PictureSet>& sets,
                                 const std::vector<Place>& places, std::int64_t epoch);
  torch::Tensor computed(const std::vector<PictureSet>& sets, const std::vector<Place>& places,
                         std::int64_t epoch);

  nn::ImageClassifier& model_;
  const nn::Normaliser& normalise_;
  const loop::Compute compute_;
  Json about_;
  FeatureCache& cache_;
  std::ostream& notes_;
  std::function<bool()> interrupted_;
};

}  // namespace tune::trainer::image_classification

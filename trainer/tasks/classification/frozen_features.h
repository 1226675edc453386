#pragma once
// Features of examples by a network that is not trained: each example passes it once, whatever many epochs
// and trials look at them.
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "trainer/loop/device.h"
#include "trainer/nn/stages.h"
#include "trainer/tasks/classification/feature_cache.h"
#include "tuner/core/json.h"

namespace tune::trainer::classification {

// A set of examples that features are wanted of.
struct FeatureSet {
  std::vector<std::string> contents;  // hashes of what each example holds
  // Of examples by their indices, as an epoch shows them: [examples, ...], on any device. Without gradients,
  // the network in evaluation mode.
  std::function<torch::Tensor(const std::vector<std::int64_t>& examples, std::int64_t epoch)> features;
  // How large each example is: those of one batch are alike. Empty where all are.
  std::vector<std::int64_t> sizes = {};
};

// Owned by one training, on the loop's thread. What is kept of it is known by its content alone: that of the
// examples, the network's weights, all that turns the one into the other. So trials, processes and data sets
// that share examples find them computed.
class FrozenFeatures {
 public:
  // `model` is on the device of `compute`, whose precision the features are computed in; what of it `head`
  // begins with has no part in them. `about` says what else they depend on: the network's name, its
  // preprocessing. `unit` is that of the examples: "images".
  FrozenFeatures(torch::nn::Module& model, const std::vector<std::string>& head, const loop::Compute& compute,
                 Json about, std::string unit, FeatureCache& cache, std::ostream& notes,
                 std::function<bool()> interrupted);

  // float [examples, ...] of each set, its examples as epoch 0 has them. Equal ones are computed once. Throws
  // Error(kInterrupted) once `interrupted` says so.
  std::vector<torch::Tensor> of(const std::vector<FeatureSet>& sets);
  // The same of one set as it looks in `epoch`, where its examples are varied as `variation` says and no
  // trial's seed has a part in it.
  torch::Tensor of_view(const FeatureSet& set, std::int64_t epoch, const Json& variation);

 private:
  // Where to find an example: a set, and an index in it.
  struct Place {
    std::size_t set = 0;
    std::int64_t index = 0;
  };
  torch::Tensor kept_or_computed(const Json& what, const std::vector<FeatureSet>& sets,
                                 const std::vector<Place>& places, std::int64_t epoch);
  torch::Tensor computed(const std::vector<FeatureSet>& sets, const std::vector<Place>& places,
                         std::int64_t epoch);

  torch::nn::Module& model_;
  const loop::Compute compute_;
  Json about_;
  const std::string unit_;
  FeatureCache& cache_;
  std::ostream& notes_;
  std::function<bool()> interrupted_;
};

}  // namespace tune::trainer::classification

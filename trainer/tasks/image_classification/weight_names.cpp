#include "trainer/tasks/image_classification/weight_names.h"

#include <algorithm>

#include "trainer/weights/unwrap.h"

namespace tune::trainer::image_classification {
namespace {

using Ordered = std::vector<std::pair<std::string, torch::Tensor>>;

// Counters of batches are absent from old files, and say nothing.
Ordered without_counters(const Ordered& tensors) {
  Ordered kept;
  for (const auto& entry : tensors)
    if (entry.second.is_floating_point()) kept.push_back(entry);
  return kept;
}

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

// A head may be for other classes: its rows may be more or fewer.
bool is_same_but_for_rows(const torch::Tensor& a, const torch::Tensor& b) {
  return a.dim() == b.dim() && a.dim() > 0 && a.sizes().slice(1) == b.sizes().slice(1);
}

std::optional<weights::TensorMap> by_order(const nn::ImageClassifier& network,
                                           const weights::WeightFile& content) {
  Ordered in_file;
  for (const std::string& name : content.order) in_file.emplace_back(name, content.tensors.at(name));
  in_file = without_counters(in_file);
  const Ordered own = without_counters(weights::ordered_state(network));
  const nn::Stages stages = network.stages();
  const auto body = static_cast<std::size_t>(std::count_if(
      own.begin(), own.end(), [&](const auto& entry) { return !is_of_head(stages, entry.first); }));
  if (in_file.size() != body && in_file.size() != own.size()) return std::nullopt;
  weights::TensorMap named;
  for (std::size_t i = 0; i < in_file.size(); ++i) {
    const auto& [name, tensor] = in_file[i];
    const auto& [own_name, own_tensor] = own[i];
    const bool fits = is_of_head(stages, own_name) ? is_same_but_for_rows(tensor, own_tensor)
                                                   : tensor.sizes() == own_tensor.sizes();
    if (!fits || last_part(name) != last_part(own_name)) return std::nullopt;
    named.emplace(own_name, tensor);
  }
  return named;
}

// The numbers that the file has may be those of this model for some number of classes.
bool is_of_similar_size(const ClassifierModel& model, std::int64_t numbers) {
  constexpr std::int64_t kManyClasses = 25000;  // ImageNet-21k has 21,843
  // A tenth may be missing, as is_same_network() has it; normalisation has buffers besides parameters.
  return numbers >= model.parameters.fixed / 10 * 9 &&
         numbers <= (model.parameters.fixed + kManyClasses * model.parameters.per_class) / 9 * 10;
}

}  // namespace

bool is_of_head(const nn::Stages& stages, std::string_view name) {
  return std::any_of(stages.head.begin(), stages.head.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

weights::WeightFit body_fit(const nn::ImageClassifier& network, const weights::TensorMap& tensors) {
  const nn::Stages stages = network.stages();
  return weights::weight_fit(weights::state_dict(network), tensors,
                             [&](std::string_view name) { return !is_of_head(stages, name); });
}

NamedWeights named_weights(const nn::ImageClassifier& network, const weights::WeightFile& content) {
  weights::Unwrapped unwrapped = weights::unwrap(
      content.tensors, [&](const weights::TensorMap& tensors) { return body_fit(network, tensors).fit; });
  if (!body_fit(network, unwrapped.tensors).is_same_network())
    if (auto named = by_order(network, content)) return {std::move(*named), "", true};
  return {std::move(unwrapped.tensors), std::move(unwrapped.prefix)};
}

std::vector<std::string> models_alike(const weights::WeightFile& content, const std::string& asked) {
  std::int64_t numbers = 0;
  for (const auto& [name, tensor] : content.tensors)
    if (tensor.is_floating_point()) numbers += tensor.numel();
  std::vector<std::string> alike;
  for (const ClassifierModel& model : classifier_models()) {
    if (model.name == asked || !is_of_similar_size(model, numbers)) continue;
    const auto network = model.make(1, 0);
    if (body_fit(*network, named_weights(*network, content).tensors).is_same_network())
      alike.push_back(model.name);
  }
  return alike;
}

}  // namespace tune::trainer::image_classification

#include "trainer/tasks/text_classification/inference.h"

#include <algorithm>

namespace tune::trainer::text_classification {
namespace {

torch::Tensor on_device(const weights::TensorMap& tensors, const char* name, const torch::Device& device) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? torch::Tensor() : found->second.to(device);
}

}  // namespace

torch::Tensor features_of(nn::TextEncoder& network, const weights::TensorMap& tensors,
                          const torch::Device& device) {
  return network.features(on_device(tensors, kIds, device), on_device(tensors, kMask, device),
                          on_device(tensors, kTypes, device));
}

std::optional<torch::Tensor> logits_of(nn::TextEncoder& network, const EncodedTexts& texts,
                                       const torch::Device& device, const std::function<bool()>& interrupted,
                                       const parallel::Team& team) {
  // Of a batch: activations of the inner layer then take some dozens of MB.
  constexpr std::int64_t kTokensOnCpu = 4096, kTokensOnDevice = 65536;
  const std::int64_t most = device.is_cpu() ? kTokensOnCpu : kTokensOnDevice;
  const std::vector<std::vector<std::int64_t>> batches = batches_to_measure(texts.lengths(), most);
  const auto [begin, end] = team.share(static_cast<std::int64_t>(batches.size()));
  std::vector<float> own;
  std::vector<std::int64_t> order;
  bool stops = false;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(batches.size()); ++i) {
    const std::vector<std::int64_t>& batch = batches[static_cast<std::size_t>(i)];
    order.insert(order.end(), batch.begin(), batch.end());
    if (i < begin || i >= end || stops) continue;
    stops = interrupted();
    if (stops) continue;
    const torch::Tensor features =
        features_of(network, texts.batch(batch, network.layout().padding, 1), device);
    const torch::Tensor logits = network.head(features).to(torch::kFloat).cpu().contiguous();
    own.insert(own.end(), logits.data_ptr<float>(), logits.data_ptr<float>() + logits.numel());
  }
  if (team.any(stops)) return std::nullopt;
  std::vector<float> all = team.gathered(own);
  const auto count = static_cast<std::int64_t>(order.size());
  const torch::Tensor in_order = torch::from_blob(
      all.data(), {count, static_cast<std::int64_t>(all.size()) / std::max<std::int64_t>(1, count)},
      torch::kFloat);
  return torch::empty_like(in_order).index_copy_(0, torch::tensor(order, torch::kLong), in_order);
}

std::int64_t weight_count(const torch::nn::Module& network) {
  std::int64_t count = 0;
  for (const torch::Tensor& parameter : network.parameters()) count += parameter.numel();
  return count;
}

}  // namespace tune::trainer::text_classification

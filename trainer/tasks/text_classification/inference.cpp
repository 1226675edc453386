#include "trainer/tasks/text_classification/inference.h"

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
                                       const torch::Device& device,
                                       const std::function<bool()>& interrupted) {
  // Of a batch: activations of the inner layer then take some dozens of MB.
  constexpr std::int64_t kTokensOnCpu = 4096, kTokensOnDevice = 65536;
  const std::int64_t most = device.is_cpu() ? kTokensOnCpu : kTokensOnDevice;
  std::vector<torch::Tensor> logits;
  std::vector<std::int64_t> order;
  for (const std::vector<std::int64_t>& batch : batches_to_measure(texts.lengths(), most)) {
    if (interrupted()) return std::nullopt;
    const torch::Tensor features =
        features_of(network, texts.batch(batch, network.layout().padding, 1), device);
    logits.push_back(network.head(features).to(torch::kFloat).cpu());
    order.insert(order.end(), batch.begin(), batch.end());
  }
  const torch::Tensor in_order = torch::cat(logits);
  return torch::empty_like(in_order).index_copy_(0, torch::tensor(order, torch::kLong), in_order);
}

std::int64_t weight_count(const torch::nn::Module& network) {
  std::int64_t count = 0;
  for (const torch::Tensor& parameter : network.parameters()) count += parameter.numel();
  return count;
}

}  // namespace tune::trainer::text_classification

#pragma once
// What an encoder says of texts.
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "trainer/nn/text_encoder.h"
#include "trainer/parallel/team.h"
#include "trainer/tasks/text_classification/encoded_texts.h"

namespace tune::trainer::text_classification {

// [B, width] of a batch of EncodedTexts, wherever its tensors are; the network is on `device`.
torch::Tensor features_of(nn::TextEncoder& network, const weights::TensorMap& tensors,
                          const torch::Device& device);

// Logits [texts, classes] on the CPU, in the order of the texts, which pass in batches about as long as each
// other, and which `team` divides; nullopt once `interrupted` says so. The network is in evaluation mode, the
// caller has turned gradients off.
std::optional<torch::Tensor> logits_of(nn::TextEncoder& network, const EncodedTexts& texts,
                                       const torch::Device& device, const std::function<bool()>& interrupted,
                                       const parallel::Team& team = *parallel::alone());

// All numbers of its parameters.
std::int64_t weight_count(const torch::nn::Module& network);

}  // namespace tune::trainer::text_classification

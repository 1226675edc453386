#pragma once
// The weights of a Hugging Face folder, in one file or in several.
#include <filesystem>
#include <vector>

#include "trainer/weights/safetensors.h"

namespace tune::trainer::weights {

inline constexpr const char* kModelFile = "model.safetensors";

// The files that hold them: model.safetensors, else the shards that model.safetensors.index.json names, else
// pytorch_model.bin. Throws Error(kNotFound) where there is none, Error(kBadData) for an index that names
// files elsewhere.
std::vector<std::filesystem::path> model_tensor_files(const std::filesystem::path& folder);
// All of them. Throws Error(kBadData) too where a shard lacks a tensor that the index says it has, or two
// have the same.
TensorMap read_model_tensors(const std::filesystem::path& folder);

}  // namespace tune::trainer::weights

#pragma once
// The weights of a Hugging Face folder, in one file or in several.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "trainer/weights/weight_file.h"

namespace tune::trainer::weights {

// The files that hold them: model.safetensors, else the shards that model.safetensors.index.json names, else
// pytorch_model.bin. Throws Error(kNotFound) where there is none, Error(kBadData) for an index that names
// files elsewhere.
std::vector<std::filesystem::path> model_tensor_files(const std::filesystem::path& folder);
// All of them. Throws Error(kBadData) too where a shard lacks a tensor that the index says it has, or two
// have the same.
TensorMap read_model_tensors(const std::filesystem::path& folder);

// What a file holds, to look at: one of GGUF too, whose tensors have shapes alone, and all shards of an
// index. Throws as read_weights() does.
WeightFile list_weights(const std::filesystem::path& path);
// How a .gguf file packs tensors whose numbers have no dtype ("Q4_1"), by their names; empty for others.
std::map<std::string, std::string> packed_types(const std::filesystem::path& path);

}  // namespace tune::trainer::weights

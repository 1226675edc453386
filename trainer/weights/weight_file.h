#pragma once
// Weights out of whatever file they are in: the one way in for all that is read from outside.
#include <filesystem>
#include <string>
#include <string_view>

#include "trainer/weights/dtype_name.h"
#include "trainer/weights/pth.h"

namespace tune::trainer::weights {

struct WeightFile {
  TensorMap tensors;               // on the CPU; those of a .pth file may share memory and have any strides
  Metadata metadata;               // of a .safetensors file
  std::string format;              // "safetensors", "PyTorch zip" or "PyTorch legacy"
  std::string section;             // see PthContent
  std::vector<std::string> order;  // of a .pth file; empty for others, whose writers sort
  std::vector<std::string> others;
};

// The format is told by the content, not by the name. `fit` chooses between several dicts of tensors in one
// file, see decode_pth(). `place` names the file in errors. Throws Error(kBadData).
WeightFile decode_weights(std::string_view bytes, const std::string& place, const Fit& fit = {});
// Throws Error(kNotFound) too.
WeightFile read_weights(const std::filesystem::path& path, const Fit& fit = {});

// Sections as a person reads them: `under "ema", at the top of the file`.
std::string places_of(const std::vector<std::string>& sections);

// Of a folder as promoted.
inline constexpr const char* kWeightsFile = "weights.safetensors";
// Of a folder of Hugging Face, now and formerly.
inline constexpr const char *kHuggingFaceFile = "model.safetensors",
                            *kOldHuggingFaceFile = "pytorch_model.bin",
                            *kShardIndex = "model.safetensors.index.json";
// A weights file itself, or the first of these that such a folder has.
std::filesystem::path weights_file(const std::filesystem::path& weights);

}  // namespace tune::trainer::weights

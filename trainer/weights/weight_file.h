#pragma once
// Weights out of whatever file they are in: the one way in for all that is read from outside.
#include <filesystem>
#include <string>
#include <string_view>

#include "trainer/weights/safetensors.h"

namespace tune::trainer::weights {

struct WeightFile {
  TensorMap tensors;    // on the CPU; those of a .pth file may share memory and have any strides
  Metadata metadata;    // of a .safetensors file
  std::string format;   // "safetensors", "PyTorch zip" or "PyTorch legacy"
  std::string section;  // see PthContent
};

// The format is told by the content, not by the name. `place` names the file in errors. Throws
// Error(kBadData).
WeightFile decode_weights(std::string_view bytes, const std::string& place);
// Throws Error(kNotFound) too.
WeightFile read_weights(const std::filesystem::path& path);

// A weights file itself, or the one in a folder as promoted.
std::filesystem::path weights_file(const std::filesystem::path& weights);

// "float32", as Python says.
std::string dtype_name(at::ScalarType dtype);

}  // namespace tune::trainer::weights

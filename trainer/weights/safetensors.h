#pragma once
// The safetensors format (huggingface/safetensors): a length, a JSON header, the tensors' bytes. Reading
// interprets data only, and refuses every file that breaks a rule of the format before it looks at a tensor.
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "trainer/torch_compat.h"

namespace tune::trainer::weights {

using TensorMap = std::map<std::string, torch::Tensor>;
using Metadata = std::map<std::string, std::string>;

struct SafetensorsContent {
  TensorMap tensors;  // on the CPU, contiguous, each with memory of its own
  Metadata metadata;  // the header's __metadata__
};

// `place` names the file in errors. Throws Error(kBadData).
SafetensorsContent decode_safetensors(std::string_view bytes, const std::string& place);
// Tensors in the order of their names; the header is padded with spaces to 8 bytes. Equal input gives equal
// bytes.
std::string encode_safetensors(const TensorMap& tensors, const Metadata& metadata = {});

// "F32", as the format says; for a dtype that it has.
const char* safetensors_dtype(at::ScalarType dtype);

// All of a file with weights: a regular one, or a link to one. Throws Error(kNotFound), Error(kBadData).
std::string read_bytes(const std::filesystem::path& path);

SafetensorsContent read_safetensors(const std::filesystem::path& path);
void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                       const Metadata& metadata = {});

}  // namespace tune::trainer::weights

#pragma once
// The safetensors format (huggingface/safetensors): a length, a JSON header, the tensors' bytes. Reading
// interprets data only, and refuses every file that breaks a rule of the format before it looks at a tensor.
#include <cstdint>
#include <filesystem>
#include <functional>
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

// The bytes of a file, each once and in their order: as a writer hands them out, and as a reader asks for the
// next ones.
using TakePiece = std::function<void(std::string_view piece)>;
using FillPiece = std::function<void(char* to, std::size_t count)>;

// `place` names the file in errors. Throws Error(kBadData). No tensor is in memory twice.
SafetensorsContent decode_safetensors(std::uint64_t bytes, const FillPiece& next, const std::string& place);
SafetensorsContent decode_safetensors(std::string_view bytes, const std::string& place);
// Tensors in the order of their names; the header is padded with spaces to 8 bytes. Equal input gives equal
// bytes. A tensor that lies packed in the CPU's memory is one piece, and is not copied; of others one at a
// time is.
void encode_safetensors(const TensorMap& tensors, const Metadata& metadata, const TakePiece& take);
std::string encode_safetensors(const TensorMap& tensors, const Metadata& metadata = {});

// "F32", as the format says; for a dtype that it has.
const char* safetensors_dtype(at::ScalarType dtype);

SafetensorsContent read_safetensors(const std::filesystem::path& path);
void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                       const Metadata& metadata = {});

}  // namespace tune::trainer::weights

#pragma once
// GGUF, the file format of llama.cpp: values by name, and tensors that may be packed in blocks.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "trainer/weights/gguf_blocks.h"
#include "trainer/weights/safetensors.h"
#include "tuner/core/json.h"

namespace tune::trainer::weights {

struct GgufTensor {
  GgufType type = GgufType::kF32;
  std::vector<std::int64_t> shape;  // rows first, as PyTorch has it; a file lists it the other way round
  torch::Tensor bytes;  // uint8 [rows, bytes of a row]; undefined where tensors were not asked for

  torch::Tensor unpacked(at::ScalarType dtype) const;  // of `shape`
};

struct GgufContent {
  std::map<std::string, Json> values;  // "general.architecture"; arrays as arrays
  std::map<std::string, GgufTensor> tensors;
};

enum class GgufPart { kAll, kHeader };

// Version 2 or 3, little-endian. Interprets data only, and checks every length against the file before
// anything is made of it. Throws Error(kBadData) with file, place and cure, for a block format that is not
// read too, by its name.
GgufContent decode_gguf(std::uint64_t bytes, const FillPiece& next, const std::string& place,
                        GgufPart part = GgufPart::kAll);
GgufContent read_gguf(const std::filesystem::path& path, GgufPart part = GgufPart::kAll);
bool is_gguf(std::string_view first_bytes);

// A tensor to write; its numbers are packed when their turn comes, so that one at a time is in memory.
struct GgufOutput {
  std::string name;
  GgufType type = GgufType::kF32;
  torch::Tensor numbers;  // floating, of one or two dimensions
};
// Values are written as the types of kind: whole numbers as uint32 (int32 in arrays), others as float32,
// texts, truth values, and arrays of one of them.
void write_gguf(const std::filesystem::path& path, const std::vector<std::pair<std::string, Json>>& values,
                const std::vector<GgufOutput>& tensors);

}  // namespace tune::trainer::weights

#pragma once
// How GGUF files pack numbers (ggml's block formats): so many numbers of a row share scales.
#include <cstdint>
#include <optional>
#include <string>

#include "trainer/torch_compat.h"

namespace tune::trainer::weights {

// With the numbers that files write.
enum class GgufType : std::uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ8_0 = 8,
  kQ4_K = 12,
  kQ6_K = 14,
  kBF16 = 30
};

struct GgufBlock {
  const char* name;      // "Q4_1"
  std::int64_t numbers;  // in a block; rows are whole blocks
  std::int64_t bytes;
};
// nullptr for a type that is not read. gguf_type_name() has the names of those too.
const GgufBlock* gguf_block(std::uint32_t type);
std::string gguf_type_name(std::uint32_t type);
inline bool is_quantised(GgufType type) {
  return type != GgufType::kF32 && type != GgufType::kF16 && type != GgufType::kBF16;
}

// Numbers [rows, columns] of `dtype` out of uint8 [rows, bytes of a row], on the bytes' device.
torch::Tensor unpack_blocks(const torch::Tensor& bytes, GgufType type, at::ScalarType dtype);
// The same by LibTorch's operators, which is how it is done on a GPU.
torch::Tensor unpack_by_operators(const torch::Tensor& bytes, GgufType type);
// uint8 [rows, bytes of a row] out of float [rows, columns], on the CPU. Of the block formats Q8_0 alone is
// written: numbers are rounded to 127ths of the largest of 32.
torch::Tensor pack_blocks(const torch::Tensor& numbers, GgufType type);

}  // namespace tune::trainer::weights

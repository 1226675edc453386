#include "trainer/weights/gguf_blocks.h"

#include "trainer/libtorch_threads.h"

#include <array>
#include <cmath>
#include <cstring>
#include <utility>

namespace tune::trainer::weights {
namespace {

constexpr std::array<std::pair<std::uint32_t, GgufBlock>, 8> kBlocks{{{0, {"F32", 1, 4}},
                                                                      {1, {"F16", 1, 2}},
                                                                      {2, {"Q4_0", 32, 18}},
                                                                      {3, {"Q4_1", 32, 20}},
                                                                      {8, {"Q8_0", 32, 34}},
                                                                      {12, {"Q4_K", 256, 144}},
                                                                      {14, {"Q6_K", 256, 210}},
                                                                      {30, {"BF16", 1, 2}}}};
// Names of types that are not read, for people.
constexpr std::array<std::pair<std::uint32_t, const char*>, 17> kOthers{{{6, "Q5_0"},
                                                                         {7, "Q5_1"},
                                                                         {9, "Q8_1"},
                                                                         {10, "Q2_K"},
                                                                         {11, "Q3_K"},
                                                                         {13, "Q5_K"},
                                                                         {15, "Q8_K"},
                                                                         {16, "IQ2_XXS"},
                                                                         {17, "IQ2_XS"},
                                                                         {18, "IQ3_XXS"},
                                                                         {19, "IQ1_S"},
                                                                         {20, "IQ4_NL"},
                                                                         {21, "IQ3_S"},
                                                                         {22, "IQ2_S"},
                                                                         {23, "IQ4_XS"},
                                                                         {29, "IQ1_M"},
                                                                         {39, "MXFP4"}}};

float half_at(const std::uint8_t* bytes) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, bytes, sizeof bits);
  return c10::Half(bits, c10::Half::from_bits());
}

// 32 numbers of 4 bits: the lower halves of 16 bytes, then the upper ones.
void unpack_nibbles(const std::uint8_t* codes, float scale, float offset, float* to) {
  for (int i = 0; i < 16; ++i) {
    to[i] = scale * static_cast<float>(codes[i] & 15) + offset;
    to[i + 16] = scale * static_cast<float>(codes[i] >> 4) + offset;
  }
}

void unpack_q4_0(const std::uint8_t* block, float* to) {
  const float scale = half_at(block);
  unpack_nibbles(block + 2, scale, -8 * scale, to);
}

void unpack_q4_1(const std::uint8_t* block, float* to) {
  unpack_nibbles(block + 4, half_at(block), half_at(block + 2), to);
}

void unpack_q8_0(const std::uint8_t* block, float* to) {
  const float scale = half_at(block);
  for (int i = 0; i < 32; ++i) to[i] = scale * static_cast<float>(static_cast<std::int8_t>(block[2 + i]));
}

// Scale and minimum of the eight parts of a Q4_K block: 6 bits each, in 12 bytes.
std::pair<int, int> scale_and_minimum(const std::uint8_t* packed, int part) {
  if (part < 4) return {packed[part] & 63, packed[part + 4] & 63};
  return {(packed[part + 4] & 15) | (packed[part - 4] >> 6 << 4),
          (packed[part + 4] >> 4) | (packed[part] >> 6 << 4)};
}

void unpack_q4_k(const std::uint8_t* block, float* to) {
  const float scale = half_at(block), minimum = half_at(block + 2);
  const std::uint8_t* codes = block + 16;
  for (int part = 0; part < 8; part += 2, codes += 32) {
    const auto [low_scale, low_minimum] = scale_and_minimum(block + 4, part);
    const auto [high_scale, high_minimum] = scale_and_minimum(block + 4, part + 1);
    for (int i = 0; i < 32; ++i) {
      to[i] = scale * static_cast<float>(low_scale) * static_cast<float>(codes[i] & 15) -
              minimum * static_cast<float>(low_minimum);
      to[i + 32] = scale * static_cast<float>(high_scale) * static_cast<float>(codes[i] >> 4) -
                   minimum * static_cast<float>(high_minimum);
    }
    to += 64;
  }
}

void unpack_q6_k(const std::uint8_t* block, float* to) {
  const float scale = half_at(block + 208);
  for (int half = 0; half < 2; ++half, to += 128) {
    const std::uint8_t *low = block + 64 * half, *high = block + 128 + 32 * half;
    const auto* scales = reinterpret_cast<const std::int8_t*>(block + 192 + 8 * half);
    for (int i = 0; i < 32; ++i) {
      const int codes[4] = {(low[i] & 15) | (high[i] & 3) << 4, (low[i + 32] & 15) | (high[i] >> 2 & 3) << 4,
                            (low[i] >> 4) | (high[i] >> 4 & 3) << 4,
                            (low[i + 32] >> 4) | (high[i] >> 6) << 4};
      for (int quarter = 0; quarter < 4; ++quarter)
        to[i + 32 * quarter] = scale * static_cast<float>(scales[2 * quarter + i / 16]) *
                               static_cast<float>(codes[quarter] - 32);
    }
  }
}

using UnpackBlock = void (*)(const std::uint8_t* block, float* to);
UnpackBlock unpacker_of(GgufType type) {
  switch (type) {
    case GgufType::kQ4_0:
      return unpack_q4_0;
    case GgufType::kQ4_1:
      return unpack_q4_1;
    case GgufType::kQ8_0:
      return unpack_q8_0;
    case GgufType::kQ4_K:
      return unpack_q4_k;
    case GgufType::kQ6_K:
      return unpack_q6_k;
    default:
      TORCH_CHECK(false, "a block format");
  }
}

at::ScalarType plain_dtype(GgufType type) {
  if (type == GgufType::kF32) return at::kFloat;
  return type == GgufType::kF16 ? at::kHalf : at::kBFloat16;
}

// uint8 [.., bytes] as numbers of a dtype, in memory of its own.
torch::Tensor as_dtype(const torch::Tensor& bytes, at::ScalarType dtype) {
  return bytes.contiguous().view(dtype);
}

torch::Tensor half_in(const torch::Tensor& blocks, std::int64_t at) {
  return as_dtype(blocks.slice(-1, at, at + 2), at::kHalf).to(at::kFloat);
}

torch::Tensor upper(const torch::Tensor& bytes, std::int64_t bits) {
  return torch::bitwise_right_shift(bytes, bits);
}

torch::Tensor nibbles(const torch::Tensor& codes) {
  return torch::cat({codes.bitwise_and(15), upper(codes, 4)}, -1).to(at::kFloat);
}

torch::Tensor q4_k_by_operators(const torch::Tensor& blocks) {
  const torch::Tensor first = blocks.slice(-1, 4, 8), second = blocks.slice(-1, 8, 12),
                      third = blocks.slice(-1, 12, 16);
  const torch::Tensor scales = torch::cat(
                          {first.bitwise_and(63), third.bitwise_and(15).bitwise_or(upper(first, 6).mul(16))},
                          -1),
                      minima = torch::cat(
                          {second.bitwise_and(63), upper(third, 4).bitwise_or(upper(second, 6).mul(16))}, -1);
  const torch::Tensor codes = blocks.slice(-1, 16, 144).unflatten(-1, {4, 32});
  const torch::Tensor numbers =
      torch::stack({codes.bitwise_and(15), upper(codes, 4)}, -2).flatten(-3, -2).to(at::kFloat);
  const torch::Tensor scale = (half_in(blocks, 0) * scales.to(at::kFloat)).unsqueeze(-1),
                      minimum = (half_in(blocks, 2) * minima.to(at::kFloat)).unsqueeze(-1);
  return (numbers * scale - minimum).flatten(-2);
}

torch::Tensor q6_k_by_operators(const torch::Tensor& blocks) {
  const torch::Tensor low = blocks.slice(-1, 0, 128).unflatten(-1, {2, 64}),
                      high = blocks.slice(-1, 128, 192).unflatten(-1, {2, 32}),
                      scales = as_dtype(blocks.slice(-1, 192, 208), at::kChar)
                                   .to(at::kFloat)
                                   .unflatten(-1, {2, 4, 2})
                                   .repeat_interleave(16, -1);
  const torch::Tensor left = low.slice(-1, 0, 32), right = low.slice(-1, 32, 64);
  const auto two_bits = [&](std::int64_t at) { return upper(high, at).bitwise_and(3).mul(16); };
  const torch::Tensor codes = torch::stack(
      {left.bitwise_and(15).bitwise_or(two_bits(0)), right.bitwise_and(15).bitwise_or(two_bits(2)),
       upper(left, 4).bitwise_or(two_bits(4)), upper(right, 4).bitwise_or(two_bits(6))},
      -2);
  return ((codes.to(at::kFloat) - 32) * scales * half_in(blocks, 208).unsqueeze(-1).unsqueeze(-1))
      .flatten(-3);
}

}  // namespace

const GgufBlock* gguf_block(std::uint32_t type) {
  for (const auto& [number, block] : kBlocks)
    if (number == type) return &block;
  return nullptr;
}

std::string gguf_type_name(std::uint32_t type) {
  if (const GgufBlock* block = gguf_block(type)) return block->name;
  for (const auto& [number, name] : kOthers)
    if (number == type) return name;
  return "type " + std::to_string(type);
}

torch::Tensor unpack_by_operators(const torch::Tensor& bytes, GgufType type) {
  if (!is_quantised(type)) return as_dtype(bytes, plain_dtype(type)).to(at::kFloat);
  const GgufBlock& form = *gguf_block(static_cast<std::uint32_t>(type));
  const torch::Tensor blocks = bytes.unflatten(-1, {-1, form.bytes});
  switch (type) {
    case GgufType::kQ4_0:
      return ((nibbles(blocks.slice(-1, 2)) - 8) * half_in(blocks, 0)).flatten(-2);
    case GgufType::kQ4_1:
      return (nibbles(blocks.slice(-1, 4)) * half_in(blocks, 0) + half_in(blocks, 2)).flatten(-2);
    case GgufType::kQ8_0:
      return (as_dtype(blocks.slice(-1, 2), at::kChar).to(at::kFloat) * half_in(blocks, 0)).flatten(-2);
    case GgufType::kQ4_K:
      return q4_k_by_operators(blocks).flatten(-2);
    default:
      return q6_k_by_operators(blocks).flatten(-2);
  }
}

torch::Tensor unpack_blocks(const torch::Tensor& bytes, GgufType type, at::ScalarType dtype) {
  if (!bytes.is_cpu() || !is_quantised(type)) return unpack_by_operators(bytes, type).to(dtype);
  const GgufBlock& form = *gguf_block(static_cast<std::uint32_t>(type));
  const UnpackBlock unpack = unpacker_of(type);
  const torch::Tensor packed = bytes.contiguous();
  const std::int64_t blocks = packed.numel() / form.bytes;
  torch::Tensor numbers =
      torch::empty({packed.size(0), packed.size(1) / form.bytes * form.numbers}, at::kFloat);
  const std::uint8_t* from = packed.const_data_ptr<std::uint8_t>();
  float* to = numbers.data_ptr<float>();
  constexpr std::int64_t kBlocksAtOnce = 512;
  for_parts((blocks + kBlocksAtOnce - 1) / kBlocksAtOnce, [&](std::int64_t part) {
    const std::int64_t end = std::min((part + 1) * kBlocksAtOnce, blocks);
    for (std::int64_t block = part * kBlocksAtOnce; block < end; ++block)
      unpack(from + block * form.bytes, to + block * form.numbers);
  });
  return numbers.to(dtype);
}

torch::Tensor pack_blocks(const torch::Tensor& numbers, GgufType type) {
  const torch::Tensor rows = numbers.to(at::kFloat).contiguous();
  if (!is_quantised(type)) return rows.to(plain_dtype(type)).view(at::kByte);
  TORCH_CHECK(type == GgufType::kQ8_0, "of the block formats Q8_0 alone is written");
  const torch::Tensor blocks = rows.unflatten(-1, {-1, 32});
  const torch::Tensor scales = blocks.abs().amax(-1, /*keepdim=*/true) / 127;
  // Halves away from zero, as ggml rounds.
  const torch::Tensor exact = torch::where(scales > 0, blocks / scales, torch::zeros_like(blocks));
  const torch::Tensor codes = (exact.sign() * (exact.abs() + 0.5).floor()).to(at::kChar);
  return torch::cat({scales.to(at::kHalf).view(at::kByte), codes.view(at::kByte)}, -1).flatten(-2);
}

}  // namespace tune::trainer::weights

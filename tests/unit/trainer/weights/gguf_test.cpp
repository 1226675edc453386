// GGUF files: blocks, whole files, damaged and hostile ones.
#include <fstream>

#include "support/sanitized.h"
#include "test_folder.h"
#include "torch_catch.h"
#include "trainer/weights/gguf.h"
#include "tuner/core/rng.h"

namespace {

using namespace tune;
using namespace tune::trainer::weights;
using trainer::tests::contains, trainer::tests::message_of, trainer::tests::TestFolder;

std::filesystem::path golden_of_language_models(const std::string& name) {
  return std::filesystem::path(TUNE_SOURCE_DIR) / "tests/golden/language_model" / name;
}

torch::Tensor bytes_of(const std::string& hex) {
  torch::Tensor bytes = torch::empty({static_cast<std::int64_t>(hex.size() / 2)}, torch::kByte);
  for (std::size_t i = 0; i < hex.size() / 2; ++i)
    bytes.data_ptr<std::uint8_t>()[i] =
        static_cast<std::uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  return bytes;
}

GgufType type_of(const std::string& name) {
  for (std::uint32_t type = 0; type < 64; ++type)
    if (gguf_block(type) != nullptr && gguf_type_name(type) == name) return static_cast<GgufType>(type);
  FAIL(name);
  return GgufType::kF32;
}

GgufContent decode(const std::string& bytes, GgufPart part = GgufPart::kAll) {
  std::string_view rest = bytes;
  const FillPiece next = [&](char* to, std::size_t count) {
    REQUIRE(count <= rest.size());  // a reader that asks for more would read beyond the file
    std::memcpy(to, rest.data(), count);
    rest.remove_prefix(count);
  };
  return decode_gguf(bytes.size(), next, "x.gguf", part);
}

}  // namespace

TEST_CASE("Packed blocks are the numbers that gguf's own reader makes of them, by both ways") {
  std::ifstream in(golden_of_language_models("blocks.json"));
  const Json cases = Json::parse(in);
  int kinds = 0;
  for (const auto& [name, one] : cases.items()) {
    if (!one.contains("numbers")) continue;
    INFO(name);
    ++kinds;
    const torch::Tensor bytes = bytes_of(one["hex"]).view({1, -1});
    const auto numbers = one["numbers"].get<std::vector<double>>();
    const torch::Tensor wanted = torch::tensor(at::ArrayRef<double>(numbers), torch::kDouble);
    for (const torch::Tensor& own :
         {unpack_blocks(bytes, type_of(name), torch::kFloat), unpack_by_operators(bytes, type_of(name))}) {
      REQUIRE(own.numel() == wanted.numel());
      CHECK(own.view({-1}).to(torch::kDouble).allclose(wanted, 1e-6, 1e-7));
    }
  }
  CHECK(kinds == 7);
}

TEST_CASE("Q8_0 is packed byte for byte as gguf packs it") {
  std::ifstream in(golden_of_language_models("blocks.json"));
  const Json cases = Json::parse(in);
  // Numbers of the formula "pack", as make_golden.py has it: a hash of the name and of the index.
  std::int64_t seed = 2166136261;
  for (const char letter : std::string("pack")) seed = (seed ^ letter) * 16777619 & 0xFFFFFFFF;
  torch::Tensor x = (torch::arange(256) * 2654435761 + seed).bitwise_and(0xFFFFFFFF);
  x = x.bitwise_xor(x.bitwise_right_shift(16));
  x = (x * 0x85EBCA6B).bitwise_and(0xFFFFFFFF);
  x = x.bitwise_xor(x.bitwise_right_shift(13));
  x = (x * 0xC2B2AE35).bitwise_and(0xFFFFFFFF);
  x = x.bitwise_xor(x.bitwise_right_shift(16));
  const torch::Tensor numbers = (x.bitwise_right_shift(8).to(torch::kFloat) / 16777216 - 0.5).view({2, 128});
  const torch::Tensor packed = pack_blocks(numbers, GgufType::kQ8_0);
  CHECK(packed.view({-1}).equal(bytes_of(cases["packed Q8_0"]["hex"])));
  CHECK((unpack_blocks(packed, GgufType::kQ8_0, torch::kFloat) - numbers).abs().max().item<double>() <
        0.5 / 127);
}

TEST_CASE("A file that llama.cpp's writer made is read: values, tensors, shapes") {
  const GgufContent content = read_gguf(golden_of_language_models("tiny-llama-q4_0.gguf"));
  CHECK(content.values.at("general.architecture") == "llama");
  CHECK(content.values.at("llama.block_count") == 2);
  CHECK(content.values.at("llama.attention.layer_norm_rms_epsilon") == 1e-5);
  CHECK(content.values.at("tokenizer.ggml.tokens").size() == 64);
  CHECK(content.tensors.at("blk.0.attn_k.weight").shape == std::vector<std::int64_t>{32, 64});
  CHECK(content.tensors.at("blk.0.attn_k.weight").type == GgufType::kQ4_0);
  CHECK(content.tensors.at("output_norm.weight").unpacked(torch::kFloat).sizes() == c10::IntArrayRef{64});
  const GgufContent header = read_gguf(golden_of_language_models("tiny-llama-q4_0.gguf"), GgufPart::kHeader);
  CHECK(header.tensors.size() == content.tensors.size());
  CHECK_FALSE(header.tensors.begin()->second.bytes.defined());
}

TEST_CASE("What is written as GGUF is read again") {
  const TestFolder folder;
  torch::manual_seed(1);
  const torch::Tensor matrix = torch::randn({3, 64}), vector = torch::randn({5});
  write_gguf(folder.path() / "a.gguf",
             {{"general.architecture", "llama"},
              {"n", 7},
              {"x", 0.5},
              {"yes", true},
              {"words", Json{"a", "b"}},
              {"types", Json{1, -3}}},
             {{"m", GgufType::kQ8_0, matrix}, {"v", GgufType::kF32, vector}, {"h", GgufType::kF16, matrix}});
  const GgufContent content = read_gguf(folder.path() / "a.gguf");
  CHECK(content.values.at("n") == 7);
  CHECK(content.values.at("x") == 0.5);
  CHECK(content.values.at("yes") == true);
  CHECK(content.values.at("words") == Json{"a", "b"});
  CHECK(content.values.at("types") == Json{1, -3});
  CHECK(content.tensors.at("v").unpacked(torch::kFloat).equal(vector));
  CHECK(content.tensors.at("h").unpacked(torch::kFloat).equal(matrix.to(torch::kHalf).to(torch::kFloat)));
  CHECK((content.tensors.at("m").unpacked(torch::kFloat) - matrix).abs().max().item<double>() < 0.02);
}

TEST_CASE("A GGUF file that is cut anywhere, or changed anywhere, is read or refused with its name") {
  const std::string whole = read_file(golden_of_language_models("tiny-llama-q4_0.gguf"));
  std::size_t header = whole.size() - 30000;  // where the values and the list of tensors are
  int refused = 0, read = 0;
  const auto attempt = [&](const std::string& bytes) {
    try {
      decode(bytes);
      ++read;
    } catch (const Error& error) {
      ++refused;
      if (error.code() != ExitCode::kBadData || error.hint().empty() ||
          std::string(error.what()).find("x.gguf") != 0)
        FAIL_CHECK(error.what());
    }
  };
  for (std::size_t length = 0; length < whole.size(); length += length < 600 ? 1 : 211)
    attempt(whole.substr(0, length));
  CHECK(read == 0);
  Rng rng(1);
  for (int i = 0; i < 2000; ++i) {
    std::string changed = whole;
    for (int k = 0; k < 3; ++k) changed[rng.below(header)] = static_cast<char>(rng.below(256));
    attempt(changed);
  }
  CHECK(refused > 1000);
}

TEST_CASE("Block formats that are not read are refused by their names") {
  const TestFolder folder;
  write_gguf(folder.path() / "a.gguf", {{"general.architecture", "llama"}},
             {{"m", GgufType::kQ8_0, torch::randn({1, 32})}});
  std::string bytes = read_file(folder.path() / "a.gguf");
  const std::size_t at =
      bytes.find("m", bytes.find("llama") + 5) + 1 + 4 + 16;  // behind the name: dimensions and sizes
  REQUIRE(bytes[at] == 8);
  bytes[at] = 13;
  CHECK(contains(message_of(ExitCode::kBadData, [&] { decode(bytes); }), "Q5_K"));
}

#include <cstring>

#include "support/run_shell.h"
#include "torch_catch.h"
#include "trainer/weights/safetensors.h"
#include "tuner/core/error.h"

using namespace tune::trainer::weights;

namespace {

std::string file_of(const std::string& header, const std::string& data = {}) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

}  // namespace

TEST_CASE("Every dtype, shape and the metadata survive a round trip") {
  torch::manual_seed(1);
  TensorMap tensors;
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                                     at::kShort, at::kChar, at::kByte, at::kBool})
    tensors[c10::toString(dtype)] = (torch::randn({3, 2, 5}) * 50).to(dtype);
  tensors["scalar"] = torch::tensor(3.5);
  tensors["empty"] = torch::empty({0, 4});
  tensors["transposed"] = torch::randn({2, 3}).t();
  tensors["a name with \"quotes\" and \xc3\xa9"] = torch::ones({1});
  const std::string bytes = encode_safetensors(tensors, {{"format", "pt"}});
  CHECK(bytes.find('{') == 8);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  CHECK(header % 8 == 0);

  const SafetensorsContent back = decode_safetensors(bytes, "memory");
  CHECK(back.metadata == Metadata{{"format", "pt"}});
  REQUIRE(back.tensors.size() == tensors.size());
  for (const auto& [name, tensor] : tensors) {
    INFO(name);
    CHECK(back.tensors.at(name).scalar_type() == tensor.scalar_type());
    CHECK(back.tensors.at(name).equal(tensor));
  }
}

TEST_CASE("Equal tensors give equal bytes") {
  const TensorMap tensors{{"b", torch::arange(4)}, {"a", torch::ones({2, 2})}};
  CHECK(encode_safetensors(tensors, {{"k", "v"}}) == encode_safetensors(tensors, {{"k", "v"}}));
}

TEST_CASE("Tensors are written out of their own memory and read straight into it") {
  const TensorMap tensors{{"a", torch::arange(6).view({2, 3})}, {"b", torch::ones({4})}};
  std::vector<const char*> places;
  std::string bytes;
  encode_safetensors(tensors, {}, [&](std::string_view piece) {
    places.push_back(piece.data());
    bytes += piece;
  });
  CHECK(bytes == encode_safetensors(tensors));
  REQUIRE(places.size() == 4);  // length, header, and one piece a tensor
  CHECK(places[2] == tensors.at("a").data_ptr());
  CHECK(places[3] == tensors.at("b").data_ptr());
  std::vector<char*> targets;
  const SafetensorsContent back = decode_safetensors(
      bytes.size(),
      [&, position = std::size_t{0}](char* to, std::size_t count) mutable {
        bytes.copy(to, count, position);
        position += count;
        targets.push_back(to);
      },
      "memory");
  REQUIRE(targets.size() == 4);
  CHECK(targets[2] == back.tensors.at("a").data_ptr());
  CHECK(back.tensors.at("a").equal(tensors.at("a")));
  CHECK(back.tensors.at("b").equal(tensors.at("b")));
}

TEST_CASE("A file that another program wrote is read") {
  const std::string header =
      R"({"__metadata__":{"who":"them"},"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"i":{"dtype":"I32","shape":[],"data_offsets":[0,4]}}  )";
  const std::string data("\x07\0\0\0\0\0\x80\x3f\0\0\0\x40", 12);
  const SafetensorsContent content = decode_safetensors(file_of(header, data), "memory");
  CHECK(content.tensors.at("w").equal(torch::tensor({1.0F, 2.0F})));
  CHECK(content.tensors.at("i").item<int>() == 7);
}

TEST_CASE("Every dtype of the format that LibTorch has is read as what it is") {
  const std::vector<std::pair<const char*, at::ScalarType>> dtypes{
      {"U16", at::kUInt16},          {"U32", at::kUInt32},
      {"U64", at::kUInt64},          {"F8_E4M3", at::kFloat8_e4m3fn},
      {"F8_E5M2", at::kFloat8_e5m2}, {"C64", at::kComplexFloat}};
  for (const auto& [name, dtype] : dtypes) {
    INFO(name);
    const std::size_t bytes = c10::elementSize(dtype);
    const SafetensorsContent content =
        decode_safetensors(file_of(std::string(R"({"a":{"dtype":")") + name +
                                       R"(","shape":[1],"data_offsets":[0,)" + std::to_string(bytes) + "]}}",
                                   std::string(bytes, '\0')),
                           "memory");
    CHECK(content.tensors.at("a").scalar_type() == dtype);
    CHECK(content.tensors.at("a").to(at::kComplexDouble).equal(torch::zeros({1}, at::kComplexDouble)));
  }
}

TEST_CASE("Every broken rule of the format is refused, and the file and reason are named") {
  struct Case {
    const char* what;
    std::string bytes;
    const char* reason;
  };
  const std::string four(4, '\0'), eight(8, '\0');
  const auto one = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  std::string endless(8, '\xff'), ones;
  for (int i = 0; i < 64; ++i) ones += "1,";
  const std::vector<Case> cases{
      {"empty", "", "only 0 bytes"},
      {"shorter than the length", "abc", "only 3 bytes"},
      {"a header beyond 100 MB", endless + "{}", "longer than 100 MB"},
      {"a header beyond the file", file_of("{}").substr(0, 9), "longer than the file"},
      {"no JSON", file_of("{\"a\""), "not JSON: line 1, column 4: the file ends"},
      {"a header of no length", file_of(""), "the header is empty"},
      {"no object", file_of("[]"), "not a JSON object"},
      {"a name twice",
       file_of(
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
           four),
       "twice"},
      {"no dtype", file_of(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", four), "needs dtype"},
      {"an unknown dtype", file_of(one("F31", "[1]", "[0,4]"), four), "F31"},
      {"a dtype that is no text", file_of(one("F32", "[1]", "[0,4]").replace(14, 5, "1"), four), "no text"},
      {"a dtype of six bits", file_of(one("F6_E2M3", "[4]", "[0,3]"), four.substr(1)),
       "F6_E2M3, which is not read"},
      {"a header of brackets", file_of(std::string(1'000'000, '[')), "nested deeper"},
      {"a shape of brackets",
       file_of(one("F32", std::string(100'000, '[') + std::string(100'000, ']'), "[0,4]"), four),
       "nested deeper"},
      {"a shape that is no list", file_of(one("F32", "1", "[0,4]"), four), "not a list"},
      {"a negative size", file_of(one("F32", "[-1]", "[0,4]"), four), "whole number"},
      {"a fractional size", file_of(one("F32", "[1.5]", "[0,4]"), four), "whole number"},
      {"a size that overflows", file_of(one("F32", "[4611686018427387904,4]", "[0,4]"), four), "overflows"},
      {"sizes that overflow beside a zero",
       file_of(one("F32", "[0,4611686018427387904,4611686018427387904]", "[0,0]")), "overflows"},
      {"a size beyond 63 bits in bytes beside a zero",
       file_of(one("F64", "[0,4611686018427387904]", "[0,0]")), "overflows"},
      {"more dimensions than any tensor has", file_of(one("F32", "[" + ones + "1]", "[0,4]"), four),
       "more than 64 dimensions"},
      {"a size beyond 63 bits", file_of(one("U8", "[18446744073709551615]", "[0,4]"), four), "too large"},
      {"one offset", file_of(one("F32", "[1]", "[0]"), four), "two data_offsets"},
      {"offsets that run backwards", file_of(one("F32", "[1]", "[0,-4]"), four), "whole number"},
      {"an end before the beginning",
       file_of(
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,2]}})",
           four),
       "outside"},
      {"an end beyond the file", file_of(one("F32", "[2]", "[0,8]"), four), "outside"},
      {"fewer bytes than the shape", file_of(one("F32", "[2]", "[0,4]"), four), "4 bytes"},
      {"a hole", file_of(one("F32", "[1]", "[4,8]"), eight), "a hole or an overlap"},
      {"an overlap",
       file_of(
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
           eight),
       "a hole or an overlap"},
      {"bytes that belong to nothing", file_of(one("F32", "[1]", "[0,4]"), eight), "belong to no tensor"},
      {"metadata that is no text", file_of(R"({"__metadata__":{"a":1}})"), "not text"},
  };
  for (const Case& test : cases) {
    INFO(test.what);
    try {
      decode_safetensors(test.bytes, "weights.safetensors");
      FAIL("was accepted");
    } catch (const tune::Error& error) {
      CHECK(error.code() == tune::ExitCode::kBadData);
      const std::string message = error.what();
      CHECK(message.find("weights.safetensors") == 0);
      INFO(message);
      CHECK(message.find(test.reason) != std::string::npos);
    }
  }
}

TEST_CASE("Every prefix of a valid file is refused") {
  const std::string bytes = encode_safetensors({{"a", torch::ones({3})}, {"b", torch::arange(2)}});
  for (std::size_t length = 0; length < bytes.size(); ++length)
    REQUIRE_THROWS_AS(decode_safetensors(std::string_view(bytes).substr(0, length), "cut"), tune::Error);
}

TEST_CASE("A file that is not there is a not-found error") {
  const tune::tests::TemporaryFolder folder;
  try {
    read_safetensors(folder.path() / "none.safetensors");
    FAIL("was read");
  } catch (const tune::Error& error) {
    CHECK(error.code() == tune::ExitCode::kNotFound);
  }
}

// Files of Python's torch.save, made by tests/golden/weights/make_pth.py.
#include <filesystem>

#include "torch_catch.h"
#include "trainer/weights/weight_file.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer::weights;
using tune::trainer::tests::contains;
using tune::trainer::tests::message_of;

namespace {

std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(TUNE_SOURCE_DIR) / "tests/golden/weights" / name;
}

}  // namespace

TEST_CASE("Every tensor that torch.save wrote is read with its dtype, shape and numbers") {
  const tune::Json expected = tune::Json::parse(tune::read_file(golden("expected.json")));
  REQUIRE(expected.size() == 12);
  for (const auto& [file, tensors] : expected.items()) {
    INFO(file);
    const WeightFile read = read_weights(golden(file + ".pth"));
    CHECK(read.format == (file.starts_with("legacy") ? "PyTorch legacy" : "PyTorch zip"));
    CHECK(read.section == (contains(file, "nested") ? "model" : ""));
    CHECK(read.tensors.size() == tensors.size());
    for (const auto& [name, tensor] : tensors.items()) {
      INFO(name);
      REQUIRE(read.tensors.contains(name));
      const torch::Tensor& own = read.tensors.at(name);
      CHECK(dtype_name(own.scalar_type()) == tensor["dtype"].get<std::string>());
      CHECK(own.sizes().vec() == tensor["shape"].get<std::vector<std::int64_t>>());
      const auto values = tensor["values"].get<std::vector<double>>();
      CHECK(own.to(at::kDouble).flatten().equal(torch::tensor(values, at::kDouble)));
    }
  }
}

TEST_CASE("A file's tensors are known in the order in which they were saved") {
  const std::vector<std::string> saved{"conv.weight",
                                       "conv.bias",
                                       "norm.weight",
                                       "norm.bias",
                                       "norm.running_mean",
                                       "norm.running_var",
                                       "norm.num_batches_tracked",
                                       "tail.0.weight",
                                       "tail.0.bias"};
  for (const char* name : {"state_dict.pth", "legacy.pth", "nested.pth"})
    CHECK(read_weights(golden(name)).order == saved);
}

TEST_CASE("Views that shared memory in Python share it when they are read") {
  for (const char* file : {"views.pth", "legacy_views.pth"}) {
    const WeightFile read = read_weights(golden(file));
    const torch::Tensor &base = read.tensors.at("base"), &transposed = read.tensors.at("transposed");
    CHECK(base.data_ptr() == transposed.data_ptr());
    CHECK(transposed.strides() == at::IntArrayRef{1, 6});
    CHECK(read.tensors.at("slice").data_ptr<float>() == base.data_ptr<float>() + 8);
  }
}

TEST_CASE("A weights file is known by its content, whatever it is called") {
  const tune::trainer::tests::TestFolder folder;
  const auto file = folder.write("weights.safetensors", tune::read_file(golden("one.pth")));
  CHECK(read_weights(file).tensors.at("only").item<int>() == 7);
  // A header of 640 bytes begins with the bytes of a pickle.
  std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  header.resize(640, ' ');
  const WeightFile safetensors =
      decode_weights(std::string("\x80\x02\0\0\0\0\0\0", 8) + header + "\x05", "header of 640 bytes");
  CHECK(safetensors.format == "safetensors");
  CHECK(safetensors.tensors.at("a").item<int>() == 5);
}

TEST_CASE("What is not weights is refused with a reason and a cure") {
  const auto refusal = [](const std::string& bytes) {
    return message_of(tune::ExitCode::kBadData, [&] { decode_weights(bytes, "w.pth"); });
  };
  const auto file = [](const char* name) { return tune::read_file(golden(name)); };
  CHECK(contains(refusal(file("whole_model.pth")),
                 "w.pth: it asks for the Python object torch.nn.modules.container.Sequential"));
  CHECK(contains(refusal(file("two.pth")), "several dicts of tensors are in it: a, b"));
  CHECK(contains(refusal(file("none.pth")), "no dict of tensors"));
  CHECK(contains(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "Git LFS pointer"));
  CHECK(contains(refusal("\x89HDF\r\n"), "HDF5"));
  CHECK(contains(refusal("<!DOCTYPE html>"), "web page"));
  CHECK(contains(refusal(""), "not a valid safetensors file"));
  CHECK(
      contains(refusal(std::string("\x02\0\0\0\0\0\0\0{}", 10) + "left"), "at the end belong to no tensor"));
  CHECK(contains(refusal("[1, 2"), "w.pth: JSON, not weights"));
  CHECK(contains(refusal("\n {\"weight_map\": {\"a\": \"b\"}}"), "w.pth: JSON, not weights"));
  // 256 bytes end within a character.
  std::string text = "x";
  for (int i = 0; i < 200; ++i) text += "\xC3\xA4";
  CHECK(contains(refusal(text), "w.pth: a text, not weights"));
  CHECK(contains(refusal("\xFF\xFE text"), "not a valid safetensors file"));
}

TEST_CASE("Every prefix of a .pth file is refused") {
  for (const char* name : {"one.pth", "legacy_one.pth", "legacy_views.pth", "state_dict.pth"}) {
    const std::string bytes = tune::read_file(golden(name));
    for (std::size_t length = 0; length < bytes.size(); ++length)
      REQUIRE_THROWS_AS(decode_weights(std::string_view(bytes).substr(0, length), name), tune::Error);
  }
}

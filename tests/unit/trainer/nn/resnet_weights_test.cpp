// The tensors of a network, and files that are loaded into it.
#include "torch_catch.h"
#include "trainer/nn/resnet.h"
#include "trainer/weights/state_dict.h"

using namespace tune::trainer;

namespace {

weights::TensorMap clone(const weights::TensorMap& tensors) {
  weights::TensorMap copy;
  for (const auto& [name, tensor] : tensors) copy[name] = tensor.clone();
  return copy;
}

}  // namespace

TEST_CASE("ResNet-18 has torchvision's tensors, but for the classifier") {
  const nn::ResNet model(std::array{2, 2, 2, 2}, 64);
  const weights::TensorMap tensors = weights::state_dict(*model);
  CHECK(tensors.size() == 120);  // torchvision's 122 less fc.weight and fc.bias
  const auto shape = [&](const std::string& name) { return tensors.at(name).sizes().vec(); };
  using Shape = std::vector<std::int64_t>;
  CHECK(shape("conv1.weight") == Shape{64, 3, 7, 7});
  CHECK(shape("bn1.running_mean") == Shape{64});
  CHECK(shape("bn1.num_batches_tracked") == Shape{});
  CHECK(shape("layer1.0.conv1.weight") == Shape{64, 64, 3, 3});
  CHECK(shape("layer2.0.downsample.0.weight") == Shape{128, 64, 1, 1});
  CHECK(shape("layer2.0.downsample.1.running_var") == Shape{128});
  CHECK(shape("layer4.1.bn2.weight") == Shape{512});
  CHECK_FALSE(tensors.contains("layer1.0.downsample.0.weight"));
}

TEST_CASE("A plain backbone file loads under the detector's prefix") {
  torch::nn::Module detector;
  nn::ResNet backbone(std::array{1, 1, 1, 1}, 8), other(std::array{1, 1, 1, 1}, 8);
  detector.register_module("backbone", backbone);
  weights::TensorMap file = clone(weights::state_dict(*other));
  file["fc.weight"] = torch::zeros({10, 64});
  file.erase("bn1.num_batches_tracked");  // as in files of old versions
  const weights::LoadReport report = weights::load_state_dict(detector, file, "backbone.");
  CHECK(report.missing.empty());
  CHECK(report.mismatched.empty());
  CHECK(report.unexpected == std::vector<std::string>{"fc.weight"});
  CHECK(weights::state_dict(*backbone).at("layer3.0.conv2.weight").equal(file.at("layer3.0.conv2.weight")));
}

TEST_CASE("What does not fit is reported and left as it was") {
  nn::ResNet model(std::array{1, 1, 1, 1}, 8);
  weights::TensorMap file = clone(weights::state_dict(*model));
  const torch::Tensor before = model->named_parameters()["conv1.weight"].clone();
  file["conv1.weight"] = torch::zeros({16, 3, 7, 7});
  file.erase("layer1.0.bn1.weight");
  const weights::LoadReport report = weights::load_state_dict(*model, file);
  REQUIRE(report.mismatched.size() == 1);
  CHECK(report.mismatched[0].name == "conv1.weight");
  CHECK(report.mismatched[0].in_file == std::vector<std::int64_t>{16, 3, 7, 7});
  CHECK(report.missing == std::vector<std::string>{"layer1.0.bn1.weight"});
  CHECK(model->named_parameters()["conv1.weight"].equal(before));
}

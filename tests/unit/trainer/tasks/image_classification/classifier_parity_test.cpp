// Against torchvision's and timm's answers in tests/golden/image_classification/classifiers_golden.json, with
// the same weights.
#include "formula_classifier.h"
#include "trainer/nn/efficientnet.h"
#include "trainer/tasks/image_classification/models.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

using namespace tune::trainer;
using namespace tune::trainer::image_classification;
using tune::Json;

namespace {

constexpr std::int64_t kGoldenClasses = 7;

const Json& classifier_golden() {
  static const Json json = Json::parse(
      tune::read_file(TUNE_SOURCE_DIR "/tests/golden/image_classification/classifiers_golden.json"));
  return json["models"];
}

// The tensor's values at the places that the file has, and its moments, within a share of its usual size.
void check_close(const torch::Tensor& tensor, const Json& expected, double share) {
  REQUIRE(tensor.sizes().vec() == expected["shape"].get<std::vector<std::int64_t>>());
  const torch::Tensor flat = tensor.detach().contiguous().view(-1);
  const torch::Tensor found = flat.slice(0, 0, flat.numel(), expected["step"].get<std::int64_t>());
  const auto values = expected["values"].get<std::vector<double>>();
  REQUIRE(found.numel() == static_cast<std::int64_t>(values.size()));
  const double mean_square = expected["mean_square"].get<double>(), margin = share * std::sqrt(mean_square);
  CHECK((found - torch::tensor(values, torch::kDouble)).abs().max().item<double>() <= margin);
  CHECK(flat.to(torch::kDouble).mean().item<double>() ==
        Approx(expected["mean"].get<double>()).margin(margin));
  CHECK(flat.to(torch::kDouble).square().mean().item<double>() == Approx(mean_square).epsilon(2 * share));
}

// Without dropout; EfficientNet without passing blocks by.
std::shared_ptr<nn::ImageClassifier> certain(const std::string& name) {
  if (name == "efficientnet_b0") return std::make_shared<nn::EfficientNetB0>(kGoldenClasses, 0.0, 0.0);
  return classifier_model(name).make(kGoldenClasses, 0);
}

void check_model(const std::string& name) {
  INFO(name);
  const Json& expected = classifier_golden().at(name);
  const auto model = certain(name);
  tune::tests::fill_classifier(*model);
  const auto batch = expected["batch"].get<std::int64_t>(), size = expected["size"].get<std::int64_t>();
  const torch::Tensor images =
      (tune::tests::repeated_noise(name + " input", batch * 3 * size * size).view({batch, 3, size, size}) * 4)
          .contiguous(at::MemoryFormat::ChannelsLast);
  model->eval();
  {
    const torch::NoGradGuard no_grad;
    check_close(model->forward(images), expected["logits"], 1e-4);
  }
  // A step in double precision: in single precision rounding decides on which side of a kink some pixels are.
  for (auto& [key, tensor] : weights::state_dict(*model))
    if (torch::Tensor own = tensor; own.is_floating_point()) own.set_data(own.detach().to(torch::kDouble));
  model->train();
  const torch::Tensor loss = torch::cross_entropy_loss(model->forward(images.to(torch::kDouble)),
                                                       torch::arange(batch) % kGoldenClasses);
  CHECK(loss.item<double>() == Approx(expected["loss"].get<double>()).epsilon(1e-6));
  loss.backward();
  const auto parameters = model->named_parameters();
  for (const auto& [key, gradient] : expected["gradients"].items()) {
    INFO(key);
    check_close(parameters[key].grad(), gradient, 1e-5);
  }
  const auto buffers = model->named_buffers();
  for (const auto& [key, statistics] : expected["buffers"].items()) {
    INFO(key);
    check_close(buffers[key], statistics, 1e-5);
  }
}

}  // namespace

TEST_CASE("ResNets for images answer, learn and keep statistics as torchvision's") {
  for (const char* name : {"resnet18", "resnet34", "resnet50"}) check_model(name);
}

TEST_CASE("SqueezeNet and VGG-16 answer and learn as torchvision's") {
  for (const char* name : {"squeezenet1_1", "vgg16"}) check_model(name);
}

TEST_CASE("MobileNets and EfficientNet answer, learn and keep statistics as torchvision's") {
  for (const char* name : {"mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0"})
    check_model(name);
}

TEST_CASE("Vision transformers answer and learn as torchvision's and timm's") {
  for (const char* name : {"vit_b_16", "vit_tiny_patch16_224"}) check_model(name);
}

TEST_CASE("A new network has its library's tensors in the same order, drawn from the same distributions") {
  for (const ClassifierModel& kind : classifier_models()) {
    torch::manual_seed(2);
    const auto model = kind.make(kGoldenClasses, kind.dropout);
    const Json& rows = classifier_golden().at(kind.name)["tensors"];
    std::size_t row = 0;
    for (const auto& [name, tensor] : weights::ordered_state(*model)) {
      if (!tensor.is_floating_point()) continue;
      INFO(kind.name << " " << name);
      REQUIRE(row < rows.size());
      const Json& expected = rows[row++];
      REQUIRE(name == expected[0]);
      REQUIRE(tensor.sizes().vec() == expected[1].get<std::vector<std::int64_t>>());
      const torch::Tensor values = tensor.detach().to(torch::kDouble);
      const double mean = values.mean().item<double>(),
                   deviation = (values - mean).square().mean().sqrt().item<double>();
      const double expected_mean = expected[2], expected_deviation = expected[3], expected_peak = expected[4];
      // Two samples of the same distribution, five standard errors apart at most.
      const auto count = static_cast<double>(values.numel());
      CHECK(std::abs(mean - expected_mean) <=
            5 * std::sqrt(2 / count) * expected_deviation + 1e-3 * std::abs(expected_mean));
      CHECK(std::abs(deviation - expected_deviation) <= (5 / std::sqrt(count) + 1e-3) * expected_deviation);
      if (expected_deviation == 0 || count < 1000) continue;
      // A uniform distribution ends at 1.73 deviations, a normal one reaches 3 in so many numbers.
      CHECK(((values - mean).abs().max().item<double>() / deviation < 2) == (expected_peak < 2));
    }
    CHECK(row == rows.size());
  }
}

TEST_CASE("The table has the size and the input that the libraries publish") {
  for (const ClassifierModel& kind : classifier_models()) {
    INFO(kind.name);
    const Json& form = classifier_golden().at(kind.name)["input_form"];
    CHECK(kind.input.size == form["size"].get<int>());
    CHECK(kind.input.resize == form["resize"].get<int>());
    CHECK((kind.input.interpolation == images::Interpolation::kBicubic) ==
          (form["interpolation"] == "bicubic"));
    CHECK(kind.input.mean == form["mean"].get<std::array<double, 3>>());
    CHECK(kind.input.std == form["std"].get<std::array<double, 3>>());
    CHECK(kind.smallest_size == form["smallest_size"].get<int>());
    if (!form.contains("parameters")) continue;
    CHECK(kind.parameters.of(1000) == form["parameters"].get<std::int64_t>());
    CHECK(static_cast<double>(kind.multiply_adds.of(1000)) / 1e9 ==
          Approx(form["giga_multiply_adds"].get<double>()).margin(0.0005));
  }
}

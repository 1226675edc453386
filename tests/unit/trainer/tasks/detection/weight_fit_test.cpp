// Which files a training starts from: those of its own network, however they are wrapped.
#include <sstream>

#include "support/run_shell.h"
#include "torch_catch.h"
#include "trainer/nn/resnet.h"
#include "trainer/tasks/detection/model_folder.h"
#include "trainer/tasks/detection/weight_fit.h"
#include "tuner/core/error.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;

namespace {

weights::TensorMap resnet(std::array<int, 4> blocks, std::int64_t channels = 64,
                          nn::ResNetBlock block = nn::ResNetBlock::kBasic) {
  weights::TensorMap tensors;
  for (const auto& [name, tensor] : weights::state_dict(*nn::ResNet(blocks, channels, block)))
    tensors[name] = tensor.detach().clone();
  return tensors;
}
weights::TensorMap resnet18() { return resnet({2, 2, 2, 2}); }
weights::TensorMap half() { return resnet({2, 2, 2, 2}, 32); }

// torchvision's, or with as many convolutions in the last three blocks as VGG-19 has.
weights::TensorMap vgg(int last_blocks, bool with_classifier = true) {
  weights::TensorMap tensors;
  std::int64_t in = 3;
  int place = 0;
  const std::array<std::pair<std::int64_t, int>, 5> plan{
      {{64, 2}, {128, 2}, {256, last_blocks}, {512, last_blocks}, {512, last_blocks}}};
  for (const auto& [out, count] : plan) {
    for (int i = 0; i < count; ++i, place += 2) {
      const std::string layer = "features." + std::to_string(place);
      tensors[layer + ".weight"] = torch::randn({out, in, 3, 3});
      tensors[layer + ".bias"] = torch::randn({out});
      in = out;
    }
    ++place;  // pooling
  }
  if (with_classifier) tensors["classifier.6.weight"] = torch::zeros({1000, 4096});
  return tensors;
}

weights::TensorMap renamed(const weights::TensorMap& tensors, const std::string& prefix) {
  weights::TensorMap result;
  for (const auto& [name, tensor] : tensors) result[prefix + name] = tensor;
  return result;
}

struct Start {
  std::string notes;
  weights::TensorMap model;
};
Start start(const char* model, const weights::TensorMap& tensors, const weights::Metadata& metadata = {}) {
  const TestFolder folder;
  const auto file = folder.path() / "given.safetensors";
  weights::write_safetensors(file, tensors, metadata);
  const DetectorModel& kind = detector_model(model);
  SsdModel own(kind, 2);
  std::ostringstream notes;
  initialise_from(*own, file, kind, {"a", "b"}, notes);
  return {notes.str(), weights::state_dict(*own)};
}
std::string refusal(const char* model, const weights::TensorMap& tensors) {
  return message_of(ExitCode::kBadData, [&] { start(model, tensors); });
}

constexpr const char *kHalf = "ssd128-resnet18-half", *kResNet18 = "ssd224-resnet18",
                     *kResNet50 = "ssd300-resnet50", *kVgg = "ssd300-vgg16";

}  // namespace

TEST_CASE("Counters of batches are no weights: a file of which nothing else fits is refused") {
  weights::TensorMap counters;
  for (const auto& [name, tensor] : resnet18())
    if (name.ends_with("num_batches_tracked")) counters[name] = tensor;
  REQUIRE(counters.size() == 20);
  CHECK(contains(refusal(kHalf, counters), "no weight fits the model ssd128-resnet18-half"));
  // torchvision's full width has the half's names and none of its shapes, but for the counters'.
  const std::string full = refusal(kHalf, resnet18());
  CHECK(contains(full, "no weight fits the model ssd128-resnet18-half: backbone."));
  CHECK(contains(full, " in the file and "));
}

TEST_CASE("Another network's weights are refused with the share that fits, whichever of the two is larger") {
  const std::string fifty = refusal(kResNet18, resnet({3, 4, 6, 3}, 64, nn::ResNetBlock::kBottleneck));
  INFO(fifty);
  CHECK(contains(fifty, "another network's weights: 26.7 %"));
  CHECK(contains(fifty, " of them fit the backbone of the model ssd224-resnet18: backbone."));
  // Each tensor of a ResNet-18 is in a ResNet-34 too, and each of a ResNet-50 in a ResNet-101.
  const std::string thirty_four = refusal(kResNet18, resnet({3, 4, 6, 3}));
  INFO(thirty_four);
  CHECK(contains(thirty_four, "another network's weights: 52.5 %"));
  CHECK(contains(thirty_four, "the model has no layer"));
  CHECK(contains(refusal(kResNet50, resnet({3, 4, 23, 3}, 64, nn::ResNetBlock::kBottleneck)),
                 "another network's weights: 55."));
  CHECK(contains(refusal(kVgg, vgg(4)), "another network's weights: "));
  // Another family, of which one small tensor happens to fit.
  CHECK(contains(
      refusal(kResNet18, {{"bn1.weight", torch::ones({64})}, {"blocks.0.weight", torch::ones({512, 512})}}),
      "another network's weights: 0.0 %"));
}

TEST_CASE("A network that was changed a little, or is there in part, is loaded with a line of what is not") {
  CHECK(contains(start(kResNet18, resnet18()).notes, "weights: 120 tensors loaded, 100.0 % of the backbone"));
  weights::TensorMap changed = resnet18();
  changed["conv1.weight"] = torch::zeros({64, 1, 7, 7});  // for grey images
  changed["fc.weight"] = torch::zeros({10, 512});
  std::erase_if(changed, [](const auto& entry) { return entry.first.ends_with("num_batches_tracked"); });
  const std::string notes = start(kResNet18, changed).notes;
  CHECK(contains(notes, "weights: 99 tensors loaded, 99.9 % of the backbone"));
  CHECK(contains(notes, "not in the model, ignored: fc.weight"));
  CHECK(contains(notes, "weights: backbone.conv1.weight is [64, 1, 7, 7] in the file"));
  weights::TensorMap part = resnet18();
  std::erase_if(part, [](const auto& entry) { return entry.first.starts_with("layer"); });
  const std::string part_notes = start(kResNet18, part).notes;
  CHECK(contains(part_notes, "weights: 6 tensors loaded, 0.0 % of the backbone"));
  CHECK(contains(part_notes, "not in the file, initialised anew: backbone.layer1"));
  CHECK(contains(start(kVgg, vgg(3)).notes, "weights: 26 tensors loaded, 100.0 % of the backbone"));
  CHECK(contains(start("ssd512-vgg16", vgg(3, false)).notes, "100.0 % of the backbone"));
}

TEST_CASE("A detector for other classes gives all but its head") {
  const DetectorModel& kind = detector_model(kHalf);
  const TestFolder folder;
  torch::manual_seed(6);
  const SsdModel source(kind, 5);
  write_model_files(folder.path(), weights::state_dict(*source), kind, {"v", "w", "x", "y", "z"});
  SsdModel model(kind, 2);
  std::ostringstream notes;
  initialise_from(*model, folder.path(), kind, {"a", "b"}, notes);
  CHECK(contains(notes.str(), "100.0 % of the backbone"));
  CHECK(contains(notes.str(), "initialised anew: head.classification_head.bias"));
  CHECK(weights::state_dict(*model)
            .at("neck.inner_blocks.0.weight")
            .equal(weights::state_dict(*source).at("neck.inner_blocks.0.weight")));
}

TEST_CASE("Wrapped names load like plain ones, and what was taken off is said") {
  torch::manual_seed(7);
  const weights::TensorMap plain = half();
  const auto check = [&](const weights::TensorMap& tensors, const std::string& said) {
    INFO(said);
    const Start started = start(kHalf, tensors);
    CHECK(contains(started.notes, "weights: 120 tensors loaded, 100.0 % of the backbone"));
    if (!said.empty()) CHECK(contains(started.notes, "names are read without \"" + said + "\"\n"));
    CHECK(started.model.at("backbone.layer4.1.conv2.weight").equal(plain.at("layer4.1.conv2.weight")));
    CHECK(started.model.at("backbone.bn1.running_var").equal(plain.at("bn1.running_var")));
  };
  check(plain, "");
  check(renamed(plain, "_orig_mod."), "");
  check(renamed(plain, "backbone."), "");
  for (const char* prefix : {"module.", "model.", "net.", "encoder_q.", "backbone.body."})
    check(renamed(plain, prefix), prefix);
  check(renamed(plain, "module._orig_mod."), "module.");
  check(renamed(plain, "model.backbone."), "model.");
  weights::TensorMap lightning = renamed(plain, "model.");
  lightning["criterion.weight"] = torch::ones({3});
  check(lightning, "model.");

  const Start vgg16 = start(kVgg, renamed(vgg(3), "module."));
  CHECK(contains(vgg16.notes, "weights: 26 tensors loaded, 100.0 % of the backbone"));
  // A whole detector, heads and all, as its own header says what they are for.
  const DetectorModel& kind = detector_model(kHalf);
  const SsdModel detector(kind, 2);
  const Start whole = start(kHalf, renamed(weights::state_dict(*detector), "module."),
                            {{"labels", R"({"classes": ["a", "b"]})"}});
  CHECK_FALSE(contains(whole.notes, "initialised anew"));
}

TEST_CASE(
    "A dtype that stands for other numbers is refused under a name of the model, and passed over else") {
  weights::TensorMap tensors = half();
  tensors["ids"] = torch::zeros({1}, at::kLong).to(at::kUInt64);
  tensors["scales"] = torch::ones({2}).to(at::kFloat8_e4m3fn);
  tensors["phases"] = torch::ones({2}, at::kComplexFloat);
  CHECK(contains(start(kHalf, tensors).notes, "ignored: ids, phases, scales"));
  const std::vector<std::pair<at::ScalarType, const char*>> dtypes{{at::kUInt64, "U64"},
                                                                   {at::kUInt16, "U16"},
                                                                   {at::kUInt32, "U32"},
                                                                   {at::kFloat8_e4m3fn, "F8_E4M3"},
                                                                   {at::kFloat8_e5m2, "F8_E5M2"},
                                                                   {at::kComplexFloat, "C64"},
                                                                   {at::kChar, "I8"},
                                                                   {at::kBool, "BOOL"}};
  for (const auto& [dtype, name] : dtypes) {
    weights::TensorMap quantized = half();
    quantized["layer1.0.conv1.weight"] = torch::zeros({32, 32, 3, 3}).to(dtype);
    CHECK(contains(refusal(kHalf, quantized), std::string("tensor \"layer1.0.conv1.weight\" has the dtype ") +
                                                  name + ", which is not read as weights"));
  }
  for (const at::ScalarType dtype : {at::kDouble, at::kHalf, at::kBFloat16}) {
    weights::TensorMap other = half();
    for (auto& [name, tensor] : other)
      if (tensor.is_floating_point()) tensor = tensor.to(dtype);
    CHECK(contains(start(kHalf, other).notes, "weights: 120 tensors loaded, 100.0 %"));
  }
}

TEST_CASE("JSON without end in a header is refused") {
  const std::string deep = std::string(300'000, '[') + std::string(300'000, ']');
  for (const char* key : {"normalisation", "preprocessing", "labels"})
    CHECK(contains(message_of(ExitCode::kBadData,
                              [&] {
                                start(kHalf, half(), {{key, deep}});
                              }),
                   "in its header: it is nested deeper"));
}

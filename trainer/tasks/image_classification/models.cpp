#include "trainer/tasks/image_classification/models.h"

#include <cmath>

#include "trainer/nn/efficientnet.h"
#include "trainer/nn/mobilenet_v2.h"
#include "trainer/nn/mobilenet_v3.h"
#include "trainer/nn/resnet_classifier.h"
#include "trainer/nn/squeezenet.h"
#include "trainer/nn/vgg16.h"
#include "trainer/nn/vision_transformer.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

using images::Interpolation;
using Maker = decltype(ClassifierModel::make);

template <typename Network, typename... Arguments>
Maker maker(Arguments... arguments) {
  return [arguments...](std::int64_t classes, double dropout) -> std::shared_ptr<nn::ImageClassifier> {
    return std::make_shared<Network>(arguments..., classes, dropout);
  };
}

Maker resnet(std::array<int, 4> blocks, nn::ResNetBlock block) {
  return maker<nn::ResNetClassifier>(blocks, block);
}

// The second edition of torchvision's weights was trained for 232 pixels.
constexpr int kSecondEdition = 232;

// 224 pixels out of a shorter side of so many, normalised as torchvision's weights want it.
data::Preprocessing cut_out_of(int resize, Interpolation interpolation = Interpolation::kBilinear) {
  data::Preprocessing input;
  input.size = 224;
  input.resize = resize;
  input.interpolation = interpolation;
  return input;
}

constexpr std::array<double, 3> kHalf{0.5, 0.5, 0.5};

}  // namespace

const std::vector<ClassifierModel>& classifier_models() {
  using nn::ResNetBlock, nn::MobileNetV3Size, nn::TransformerNames;
  static const std::vector<ClassifierModel> models{
      {"resnet18",
       "ResNet-18: a good first choice",
       cut_out_of(256),
       1,
       false,
       0,
       {11176512, 513},
       {1813561344, 512},
       resnet({2, 2, 2, 2}, ResNetBlock::kBasic)},
      {"resnet34",
       "ResNet-34: twice ResNet-18's depth",
       cut_out_of(256),
       1,
       false,
       0,
       {21284672, 513},
       {3663249408, 512},
       resnet({3, 4, 6, 3}, ResNetBlock::kBasic)},
      {"resnet50",
       "ResNet-50: slower than ResNet-34, features of 2048 numbers",
       cut_out_of(kSecondEdition),
       1,
       false,
       0,
       {23508032, 2049},
       {4087136256, 2048},
       resnet({3, 4, 6, 3}, ResNetBlock::kBottleneck)},
      {"squeezenet1_1",
       "SqueezeNet 1.1: the fewest weights, without batch normalisation",
       cut_out_of(256),
       17,
       false,
       0.5,
       {722496, 513},
       {262623936, 512 * 13 * 13},
       maker<nn::SqueezeNet>()},
      {"mobilenet_v2",
       "MobileNetV2: for phones and small processors",
       cut_out_of(kSecondEdition),
       1,
       false,
       0.2,
       {2223872, 1281},
       {299494272, 1280},
       maker<nn::MobileNetV2>()},
      {"mobilenet_v3_small",
       "MobileNetV3 small: the least arithmetic of all",
       cut_out_of(256),
       1,
       false,
       0.2,
       {1517856, 1025},
       {55486400, 1024},
       maker<nn::MobileNetV3>(MobileNetV3Size::kSmall)},
      {"mobilenet_v3_large",
       "MobileNetV3 large: MobileNetV2's arithmetic, more weights",
       cut_out_of(kSecondEdition),
       1,
       false,
       0.2,
       {4202032, 1281},
       {215309760, 1280},
       maker<nn::MobileNetV3>(MobileNetV3Size::kLarge)},
      {"efficientnet_b0",
       "EfficientNet-B0: accurate for its arithmetic, slow to train for it",
       cut_out_of(256, Interpolation::kBicubic),
       1,
       false,
       0.2,
       {4007548, 1281},
       {384534752, 1280},
       maker<nn::EfficientNetB0>()},
      {"vgg16",
       "VGG-16 without batch normalisation: large and slow, for comparison",
       cut_out_of(256),
       32,
       false,
       0.5,
       {134260544, 4097},
       {15466168320, 4096},
       maker<nn::Vgg16>()},
      {"vit_b_16",
       "Vision transformer, base, patches of 16 pixels; wants pretrained weights",
       cut_out_of(256),
       224,
       true,
       0,
       {85798656, 769},
       {17563060224, 768},
       maker<nn::VisionTransformer>(nn::TransformerLayout{768, 12, 12, TransformerNames::kTorchvision})},
      {"vit_tiny_patch16_224",
       "Vision transformer, tiny, timm's; wants pretrained weights",
       {.size = 224, .mean = kHalf, .std = kHalf, .resize = 248, .interpolation = Interpolation::kBicubic},
       224,
       true,
       0,
       {5524416, 193},
       {1253491200, 192},
       maker<nn::VisionTransformer>(nn::TransformerLayout{192, 3, 12, TransformerNames::kTimm})}};
  return models;
}

const ClassifierModel& classifier_model(const std::string& name) {
  std::string known;
  for (const ClassifierModel& model : classifier_models()) {
    if (model.name == name) return model;
    known += (known.empty() ? "" : ", ") + model.name;
  }
  throw Error(ExitCode::kBadSpec, "unknown image classification model \"" + name + "\"",
              "there are " + known);
}

void check_input_size(const ClassifierModel& model, int size) {
  if (model.one_size && size != model.input.size)
    throw Error(ExitCode::kBadSpec,
                model.name + " takes images of " + std::to_string(model.input.size) + " pixels, not of " +
                    std::to_string(size),
                "leave image_size out, or choose a model without embeddings of places");
  if (size < model.smallest_size)
    throw Error(ExitCode::kBadSpec,
                model.name + " takes images of " + std::to_string(model.smallest_size) +
                    " pixels and more, not of " + std::to_string(size),
                "give larger images");
}

data::Preprocessing input_at(const ClassifierModel& model, int size) {
  data::Preprocessing input = model.input;
  if (size == 0 || size == input.size) return input;
  check_input_size(model, size);
  input.resize = static_cast<int>(std::lround(static_cast<double>(size) * input.resize / input.size));
  input.size = size;
  return input;
}

}  // namespace tune::trainer::image_classification

#include "trainer/tasks/detection/weight_names.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace tune::trainer::detection {
namespace {

// Places in VGG-16's sequence of layers that SSD's part after conv4_3 has under other names.
const std::map<std::string, std::string>& top_places() {
  static const std::map<std::string, std::string> places{{"24", "backbone.extra.0.1"},
                                                         {"26", "backbone.extra.0.3"},
                                                         {"28", "backbone.extra.0.5"},
                                                         {"31", "backbone.extra.0.7.1"},
                                                         {"33", "backbone.extra.0.7.3"}};
  return places;
}

std::string vgg_name(const std::string& name) {
  const std::string prefix = "features.";
  const std::string rest = name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  const std::size_t point = rest.find('.');
  const std::string place = rest.substr(0, point);
  if (point == std::string::npos || place.find_first_not_of("0123456789") != std::string::npos) return name;
  const auto top = top_places().find(place);
  return (top == top_places().end() ? "backbone.features." + place : top->second) + rest.substr(point);
}

// Puts `to` in the place of `from` where the name begins so.
bool replace_beginning(std::string& name, std::string_view from, std::string_view to) {
  if (!name.starts_with(from)) return false;
  name.replace(0, from.size(), to);
  return true;
}

// torchvision's parts were plain convolutions before version 0.12, and are sequences with one inside since.
std::string in_sequence(std::string name) {
  for (const std::string part : {"fpn.inner_blocks.", "fpn.layer_blocks."}) {
    const std::size_t at = name.find(part);
    if (at == std::string::npos) continue;
    const std::size_t point = name.find('.', at + part.size());
    if (point == std::string::npos || name.find('.', point + 1) != std::string::npos) return name;
    return name.insert(point, ".0");
  }
  for (const std::string leaf : {"rpn.head.conv.weight", "rpn.head.conv.bias"})
    if (name.ends_with(leaf)) return name.insert(name.rfind('.'), ".0.0");
  return name;
}

std::string fusion_name(std::string name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kParts{
      {{"model.backbone.", "mfn."},
       {"model.rpn.", "rpn."},
       {"model.roi_heads.", "roi."},
       {"model.mfn.", "mfn."}}};
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kLayers{
      {{"mfn.start_layer.0.", "mfn.backbone.conv1."},
       {"mfn.start_layer.1.", "mfn.backbone.bn1."},
       {"mfn.r2.", "mfn.backbone.layer1."},
       {"mfn.r3.", "mfn.backbone.layer2."},
       {"mfn.r4.", "mfn.backbone.layer3."},
       {"mfn.r5.", "mfn.backbone.layer4."}}};
  const auto replace_one_of = [&](const auto& pairs) {
    static_cast<void>(std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) {
      return replace_beginning(name, pair.first, pair.second);
    }));
  };
  replace_one_of(kParts);
  replace_one_of(kLayers);
  return in_sequence(std::move(name));
}

bool is_fusion(const DetectorModel& model) {
  const auto* network = std::get_if<TwoStageNetwork>(&model.network);
  return network != nullptr && !network->pyramid;
}

}  // namespace

std::string_view backbone_prefix(const DetectorModel& model) {
  if (is_fusion(model)) return "mfn.backbone.";
  return is_two_stage(model) ? "backbone.body." : kBackbone;
}

std::string_view classification_head(const DetectorModel& model) {
  if (is_fusion(model)) return "roi.roi_head.box_predictor.";
  return is_two_stage(model) ? "roi_heads.box_predictor." : "head.classification_head.";
}

weights::TensorMap with_model_names(weights::TensorMap tensors, const DetectorModel& model) {
  const auto rename = [&](auto name_of) {
    weights::TensorMap renamed;
    for (auto& [name, tensor] : tensors) renamed.emplace(name_of(name), std::move(tensor));
    return renamed;
  };
  if (std::holds_alternative<VggNetwork>(model.network)) return rename(vgg_name);
  if (is_fusion(model)) return rename(fusion_name);
  if (is_two_stage(model)) return rename(in_sequence);
  return tensors;
}

bool is_of_base_network(std::string_view name, const DetectorModel& model) {
  if (const std::string_view prefix = backbone_prefix(model); name.starts_with(prefix))
    name.remove_prefix(prefix.size());
  const auto is_one_of = [&](const auto& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return name.starts_with(prefix); });
  };
  // fc6 and fc7 are not: torchvision's VGG-16 has others, over the whole image.
  if (std::holds_alternative<VggNetwork>(model.network))
    return is_one_of(
        std::to_array<std::string_view>({"features.", "extra.0.1.", "extra.0.3.", "extra.0.5."}));
  return is_one_of(std::to_array<std::string_view>({"conv1.", "bn1.", "layer"}));
}

weights::TensorMap with_torchvision_names(const weights::TensorMap& backbone, const DetectorModel& model) {
  if (!std::holds_alternative<VggNetwork>(model.network)) return backbone;
  weights::TensorMap renamed;
  for (const auto& [name, tensor] : backbone) {
    if (name.starts_with("features.")) renamed.emplace(name, tensor);
    for (const auto& [place, own] : top_places())
      if (const std::string layer = own.substr(std::string("backbone.").size()) + ".";
          name.starts_with(layer))
        renamed.emplace("features." + place + "." + name.substr(layer.size()), tensor);
  }
  return renamed;
}

}  // namespace tune::trainer::detection

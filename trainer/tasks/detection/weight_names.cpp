#include "trainer/tasks/detection/weight_names.h"

#include <algorithm>
#include <array>
#include <map>

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

}  // namespace

weights::TensorMap with_model_names(weights::TensorMap tensors, const DetectorModel& model) {
  if (!std::holds_alternative<VggNetwork>(model.network)) return tensors;
  weights::TensorMap renamed;
  for (auto& [name, tensor] : tensors) renamed.emplace(vgg_name(name), std::move(tensor));
  return renamed;
}

bool is_of_base_network(std::string_view name, const DetectorModel& model) {
  if (name.starts_with(kBackbone)) name.remove_prefix(kBackbone.size());
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

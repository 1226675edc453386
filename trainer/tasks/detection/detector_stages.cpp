#include "trainer/tasks/detection/detector_stages.h"

#include "trainer/tasks/detection/weight_names.h"

namespace tune::trainer::detection {
namespace {

// Prefixes of some children of a module: "backbone.layer" and {"1"} give "backbone.layer1.".
nn::Stage stage(const std::string& name, const std::string& parent,
                const std::vector<std::string>& children) {
  nn::Stage made{name, {}};
  for (const std::string& child : children) made.prefixes.push_back(parent + child + ".");
  return made;
}

nn::Stages on_resnet(const std::string& body, const std::vector<std::string>& heads) {
  nn::Stages stages{{stage("stem", body, {"conv1", "bn1"})}, heads};
  for (const char* layer : {"layer1", "layer2", "layer3", "layer4"})
    stages.body.push_back(stage(layer, body, {layer}));
  return stages;
}

// The numbers are places in torchvision's sequences of layers.
nn::Stages on_vgg(const VggNetwork& network) {
  const std::string features = "backbone.features.", extra = "backbone.extra.";
  nn::Stages stages{
      {stage("conv1", features, {"0", "2"}), stage("conv2", features, {"5", "7"}),
       stage("conv3", features, {"10", "12", "14"}), stage("conv4", features, {"17", "19", "21"}),
       stage("conv5", extra + "0.", {"1", "3", "5"})},
      {"backbone.scale_weight", extra + "0.7.", "head."}};
  for (std::size_t map = 1; map <= network.extras.size(); ++map)
    stages.head.push_back(extra + std::to_string(map) + ".");
  return stages;
}

}  // namespace

nn::Stages detector_stages(const DetectorModel& model) {
  const auto* vgg = std::get_if<VggNetwork>(&model.network);
  if (vgg) return on_vgg(*vgg);
  const std::string body(backbone_prefix(model));
  const auto* two_stage = std::get_if<TwoStageNetwork>(&model.network);
  if (!two_stage) return on_resnet(body, {"neck.", "extra.", "head."});
  return on_resnet(body, two_stage->pyramid
                             ? std::vector<std::string>{"backbone.fpn.", "rpn.", "roi_heads."}
                             : std::vector<std::string>{"mfn.b2.", "mfn.b4.", "mfn.b5.", "rpn.", "roi."});
}

}  // namespace tune::trainer::detection

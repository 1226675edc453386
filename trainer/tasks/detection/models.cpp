#include "trainer/tasks/detection/models.h"

#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

// Five maps from stride 8 down to a cell or two. With these scales 95 % of the objects of NEU-DET overlap a
// box by one half; smaller ones lose the pitted surfaces, larger ones the inclusions.
constexpr const char* kLayout = "RGB, [0, 1], NCHW, stretched to the square";

std::vector<FeatureMap> five_maps(std::array<int, 5> cells) {
  constexpr std::array<double, 6> kScales{0.15, 0.27, 0.42, 0.62, 0.85, 1.05};
  std::vector<FeatureMap> maps;
  for (std::size_t i = 0; i < cells.size(); ++i) maps.push_back({cells[i], kScales[i], kScales[i + 1]});
  return maps;
}

}  // namespace

const std::vector<DetectorModel>& detector_models() {
  static const std::vector<DetectorModel> models{
      {"ssd224-resnet18",
       "SSD at 224 pixels on ResNet-18, whose torchvision weights it can start from",
       {224},
       {2, 2, 2, 2},
       64,
       128,
       five_maps({28, 14, 7, 4, 2})},
      {"ssd128-resnet18-half",
       "SSD at 128 pixels on a ResNet-18 with half the channels: small enough for a CPU",
       {128},
       {2, 2, 2, 2},
       32,
       64,
       five_maps({16, 8, 4, 2, 1})},
  };
  return models;
}

const DetectorModel& detector_model(const std::string& name) {
  std::string known;
  for (const DetectorModel& model : detector_models()) {
    if (model.name == name) return model;
    known += (known.empty() ? "" : ", ") + model.name;
  }
  throw Error(ExitCode::kBadSpec, "unknown detection model \"" + name + "\"", "there are " + known);
}

OrderedJson to_json(const Preprocessing& preprocessing) {
  return {{"size", {preprocessing.size, preprocessing.size}},
          {"mean", preprocessing.mean},
          {"std", preprocessing.std},
          {"layout", kLayout}};
}

Preprocessing preprocessing_from_json(const Json& json, const std::string& place) {
  try {
    Preprocessing preprocessing;
    const auto size = json.at("size").get<std::array<int, 2>>();
    preprocessing.size = size[0];
    preprocessing.mean = json.at("mean").get<std::array<double, 3>>();
    preprocessing.std = json.at("std").get<std::array<double, 3>>();
    if (size[0] != size[1] || size[0] < 1)
      throw Error(ExitCode::kBadData, place + ": the input is not square");
    if (json.value("layout", Json(kLayout)) != kLayout)
      throw Error(ExitCode::kBadData, place + ": the layout is " + json["layout"].dump(),
                  std::string("this version knows \"") + kLayout + "\" only");
    return preprocessing;
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kBadData, place + ": no preprocessing: " + error.what(),
                "it needs size [height, width], mean and std of three channels");
  }
}

}  // namespace tune::trainer::detection

#include "trainer/data/preprocessing.h"

#include "tuner/core/error.h"

namespace tune::trainer::data {
namespace {

constexpr const char* kLayout = "RGB, [0, 1], NCHW, stretched to the square";

}  // namespace

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

}  // namespace tune::trainer::data

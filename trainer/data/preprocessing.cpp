#include "trainer/data/preprocessing.h"

#include <algorithm>
#include <cmath>

namespace tune::trainer::data {
namespace {

constexpr const char *kStretched = "RGB, [0, 1], NCHW, stretched to the square",
                     *kCutOut = "RGB, [0, 1], NCHW, shorter side resized, middle cut out",
                     *kPadded = "RGB, [0, 1], NCHW, shorter side resized, padded right and below";

const char* layout_of(const Preprocessing& preprocessing) {
  if (preprocessing.longest > 0) return kPadded;
  return preprocessing.resize > 0 ? kCutOut : kStretched;
}

std::string name_of(images::Interpolation interpolation) {
  return interpolation == images::Interpolation::kBicubic ? "bicubic" : "bilinear";
}

images::Interpolation interpolation_of(const Json& json, const std::string& place) {
  for (const auto interpolation : {images::Interpolation::kBilinear, images::Interpolation::kBicubic})
    if (json == name_of(interpolation)) return interpolation;
  throw Error(ExitCode::kBadData, place + ": the interpolation is " + json.dump(),
              "this version knows \"bilinear\" and \"bicubic\", both antialiased");
}

void check_layout(const Json& layout, const char* expected, const std::string& place) {
  if (layout == expected) return;
  if (layout.is_string() && layout.get_ref<const std::string&>().starts_with("BGR"))
    throw Error(ExitCode::kBadData, place + ": the weights take blue before red (" + layout.dump() + ")",
                "exchange the first and the third input channel of their first layer, and write the mean and "
                "std in the order red, green, blue");
  throw Error(ExitCode::kBadData, place + ": the layout is " + layout.dump(),
              std::string("this version knows \"") + kStretched + "\" and, with `resize`, \"" + kCutOut +
                  "\", with `longest` \"" + kPadded + "\"");
}

// Python's round(), by which torchvision finds the middle.
int half_to_even(int number) { return static_cast<int>(std::nearbyint(number / 2.0)); }

}  // namespace

OrderedJson to_json(const Preprocessing& preprocessing) {
  OrderedJson json{{"size", {preprocessing.size, preprocessing.size}},
                   {"mean", preprocessing.mean},
                   {"std", preprocessing.std}};
  if (preprocessing.resize > 0) json["resize"] = preprocessing.resize;
  if (preprocessing.longest > 0) json["longest"] = preprocessing.longest;
  if (preprocessing.interpolation != images::Interpolation::kBilinear)
    json["interpolation"] = name_of(preprocessing.interpolation);
  json["layout"] = layout_of(preprocessing);
  return json;
}

Preprocessing preprocessing_from_json(const Json& json, const std::string& place) {
  try {
    Preprocessing preprocessing;
    const auto size = json.at("size").get<std::array<int, 2>>();
    preprocessing.size = size[0];
    preprocessing.mean = json.at("mean").get<std::array<double, 3>>();
    preprocessing.std = json.at("std").get<std::array<double, 3>>();
    if (size[0] != size[1] || size[0] < 1)
      throw Error(ExitCode::kBadData, place + ": the input is not square",
                  "it needs size [height, width], both the same");
    preprocessing.resize = json.value("resize", 0);
    if (json.contains("resize") && preprocessing.resize < preprocessing.size)
      throw Error(ExitCode::kBadData,
                  place + ": a shorter side of " + std::to_string(preprocessing.resize) +
                      " pixels is less than the " + std::to_string(preprocessing.size) +
                      " that are to be cut out of it",
                  "give a `resize` of at least the size");
    preprocessing.longest = json.value("longest", 0);
    if (json.contains("longest") && (preprocessing.longest < preprocessing.size || preprocessing.resize > 0))
      throw Error(ExitCode::kBadData,
                  place + ": a longer side of at most " + std::to_string(preprocessing.longest) +
                      " pixels goes with a shorter one of no more, and without `resize`",
                  "give a `longest` of at least the size");
    if (json.contains("interpolation"))
      preprocessing.interpolation = interpolation_of(json["interpolation"], place);
    const char* layout = layout_of(preprocessing);
    check_layout(json.value("layout", Json(layout)), layout, place);
    return preprocessing;
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kBadData, place + ": no preprocessing: " + error.what(),
                "it needs size [height, width], mean and std of three channels");
  }
}

std::string form_of(const Preprocessing& preprocessing) {
  const std::string side = std::to_string(preprocessing.size);
  if (preprocessing.longest > 0)
    return "a shorter side of " + side + " pixels, a longer one of at most " +
           std::to_string(preprocessing.longest) + ", " + name_of(preprocessing.interpolation);
  return side + "x" + side + " pixels, " +
         (preprocessing.resize == 0
              ? "stretched"
              : "cut out of a shorter side of " + std::to_string(preprocessing.resize)) +
         ", " + name_of(preprocessing.interpolation);
}

images::Size resized_by_shorter_side(images::Size size, int shorter) {
  const auto longer = [&](int side, int by) {
    return static_cast<int>(static_cast<std::int64_t>(shorter) * side / by);
  };
  return size.width <= size.height ? images::Size{shorter, longer(size.height, size.width)}
                                   : images::Size{longer(size.width, size.height), shorter};
}

images::Size resized_within(images::Size size, const Preprocessing& preprocessing) {
  const double scale =
      std::min(static_cast<double>(preprocessing.size) / std::min(size.width, size.height),
               static_cast<double>(preprocessing.longest) / std::max(size.width, size.height));
  const auto scaled = [&](int side) { return std::max(1, static_cast<int>(std::floor(side * scale))); };
  return {scaled(size.width), scaled(size.height)};
}

images::Size kept_size(images::Size size, const Preprocessing& preprocessing) {
  const images::Size resized = resized_within(size, preprocessing);
  return resized.width < size.width ? resized : size;
}

images::Part centre_of(images::Size image, int size) {
  TUNE_CHECK(image.width >= size && image.height >= size);
  return {half_to_even(image.width - size), half_to_even(image.height - size), size, size};
}

images::Image input_pixels(const images::Image& image, const Preprocessing& preprocessing) {
  if (preprocessing.longest > 0)
    return images::resize(image, kept_size({image.width, image.height}, preprocessing));
  if (preprocessing.resize == 0)
    return images::resize(image, {preprocessing.size, preprocessing.size}, preprocessing.interpolation);
  const images::Size size = resized_by_shorter_side({image.width, image.height}, preprocessing.resize);
  return images::resize_part(image, size, centre_of(size, preprocessing.size), preprocessing.interpolation);
}

}  // namespace tune::trainer::data

#include "trainer/tasks/image_classification/data/augmentation.h"

#include <algorithm>
#include <cmath>

#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

constexpr int kTrials = 10;
constexpr double kMostElongated = 4.0 / 3.0;               // sides of a crop to each other
constexpr double kLeastErased = 0.02, kMostErased = 0.33;  // shares of the area: torchvision's RandomErasing
constexpr double kErasedRatio = 3.3;                       // sides of it to each other
constexpr int kMostMagnitude = 30;

// The largest part in the middle whose sides are not too unlike: what is left where no draw fits.
Crop middle_part(images::Size source) {
  const double width = std::min<double>(source.width, source.height * kMostElongated),
               height = std::min<double>(source.height, source.width * kMostElongated);
  return {(source.width - width) / 2, (source.height - height) / 2, width, height};
}

Crop random_crop(images::Size source, double min_area, Rng& rng) {
  const double all = static_cast<double>(source.width) * source.height;
  for (int trial = 0; trial < kTrials; ++trial) {
    const double area = all * rng.uniform(min_area, 1),
                 ratio = std::exp(rng.uniform(-1, 1) * std::log(kMostElongated));
    const double width = std::sqrt(area * ratio), height = std::sqrt(area / ratio);
    if (width > source.width || height > source.height) continue;
    const double x = rng.uniform(0, source.width - width), y = rng.uniform(0, source.height - height);
    return {x, y, width, height};
  }
  return middle_part(source);
}

double factor(double share, Rng& rng) { return rng.uniform(std::max(0.0, 1 - share), 1 + share); }

void add_jitter(const Augmentation& augmentation, Rng& rng, std::vector<ColourOperation>& colours) {
  if (augmentation.color_jitter == 0 && augmentation.hue_jitter == 0) return;
  ColourOperation operation;
  operation.brightness = factor(augmentation.color_jitter, rng);
  operation.contrast = factor(augmentation.color_jitter, rng);
  operation.saturation = factor(augmentation.color_jitter, rng);
  operation.hue = augmentation.hue_jitter * rng.uniform(-1, 1);
  colours.push_back(operation);
}

ColourOperation with_amount(ColourKind kind, double amount) {
  ColourOperation operation;
  operation.kind = kind;
  operation.amount = amount;
  return operation;
}

// One of the fourteen operations, at a strength from 0 to 1.
void add_operation(double strength, Rng& rng, Look& look) {
  const auto operation = rng.below(14);
  const double sign = rng.uniform() < 0.5 ? -1 : 1;
  Bend bend;
  ColourOperation jitter;
  switch (operation) {
    case 0:  // identity
      return;
    case 1:
      bend.b = sign * 0.3 * strength;  // shear
      break;
    case 2:
      bend.d = sign * 0.3 * strength;
      break;
    case 3:
      bend.c = sign * 150.0 / 331.0 * strength;  // shift
      break;
    case 4:
      bend.f = sign * 150.0 / 331.0 * strength;
      break;
    case 5:
      bend = turned_by(sign * kMostMagnitude * strength);  // 30 degrees at most
      break;
    case 6:
      jitter.brightness = 1 + sign * 0.9 * strength;
      break;
    case 7:
      jitter.saturation = 1 + sign * 0.9 * strength;
      break;
    case 8:
      jitter.contrast = 1 + sign * 0.9 * strength;
      break;
    case 9:
      return look.colours.push_back(with_amount(ColourKind::kSharpness, 1 + sign * 0.9 * strength));
    case 10:
      return look.colours.push_back(with_amount(ColourKind::kPosterize, 8 - std::nearbyint(4 * strength)));
    case 11:
      return look.colours.push_back(with_amount(ColourKind::kSolarize, 255 * (1 - strength)));
    case 12:
      return look.colours.push_back(with_amount(ColourKind::kAutoContrast, 0));
    default:
      return look.colours.push_back(with_amount(ColourKind::kEqualize, 0));
  }
  if (bend == Bend{})
    look.colours.push_back(jitter);
  else
    look.crop.bend = composed(look.crop.bend, bend);
}

std::optional<Rectangle> draw_erased(int size, Rng& rng) {
  for (int trial = 0; trial < kTrials; ++trial) {
    const double area = static_cast<double>(size) * size * rng.uniform(kLeastErased, kMostErased),
                 ratio = std::exp(rng.uniform(-1, 1) * std::log(kErasedRatio));
    const int width = static_cast<int>(std::lround(std::sqrt(area * ratio))),
              height = static_cast<int>(std::lround(std::sqrt(area / ratio)));
    if (width < 1 || height < 1 || width >= size || height >= size) continue;
    const int x = static_cast<int>(rng.below(static_cast<std::uint64_t>(size - width + 1))),
              y = static_cast<int>(rng.below(static_cast<std::uint64_t>(size - height + 1)));
    return Rectangle{x, y, x + width, y + height};
  }
  return std::nullopt;
}

}  // namespace

Crop evaluation_crop(images::Size source, const data::Preprocessing& preprocessing) {
  if (preprocessing.resize == 0)
    return {0, 0, static_cast<double>(source.width), static_cast<double>(source.height)};
  const double side =
      static_cast<double>(std::min(source.width, source.height)) * preprocessing.size / preprocessing.resize;
  return {(source.width - side) / 2, (source.height - side) / 2, side, side};
}

Look draw_look(const Augmentation& augmentation, images::Size source,
               const data::Preprocessing& preprocessing, Rng& rng) {
  TUNE_CHECK(source.width > 0 && source.height > 0);
  Look look;
  look.crop = augmentation.random_crop ? random_crop(source, augmentation.min_crop_area, rng)
                                       : evaluation_crop(source, preprocessing);
  look.crop.mirrored = augmentation.horizontal_flip && rng.uniform() < 0.5;
  look.crop.upside_down = augmentation.vertical_flip && rng.uniform() < 0.5;
  if (augmentation.rotation > 0) look.crop.bend = turned_by(augmentation.rotation * rng.uniform(-1, 1));
  for (int i = 0; i < augmentation.randaugment; ++i)
    add_operation(static_cast<double>(augmentation.randaugment_magnitude) / kMostMagnitude, rng, look);
  add_jitter(augmentation, rng, look.colours);
  if (augmentation.random_erasing > 0 && rng.uniform() < augmentation.random_erasing)
    look.erased = draw_erased(preprocessing.size, rng);
  return look;
}

void make_pixels(const Look& look, const images::Image& source, int size, const std::array<double, 3>& mean,
                 std::uint8_t* to) {
  sample_crop(look.crop, source, size, to);
  const Picture picture{{to, static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3}, size};
  for (const ColourOperation& operation : look.colours) apply(operation, picture);
  if (!look.erased) return;
  std::array<std::uint8_t, 3> colour{};
  for (std::size_t c = 0; c < 3; ++c)
    colour[c] = static_cast<std::uint8_t>(std::lround(std::clamp(mean[c], 0.0, 1.0) * 255));
  erase(*look.erased, colour, picture);
}

}  // namespace tune::trainer::image_classification

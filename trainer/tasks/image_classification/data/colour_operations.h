#pragma once
// What augmentation does to the colours of a picture, and to its pixels in their places.
#include <array>
#include <cstdint>
#include <span>

namespace tune::trainer::image_classification {

// `pixels` are red, green, blue bytes of a square of `size` pixels, and are changed in place.
struct Picture {
  std::span<std::uint8_t> pixels;
  int size = 0;
};

enum class ColourKind {
  kJitter,        // brightness, contrast, saturation and hue at once
  kSharpness,     // `amount` 0: smoothed, 1: as it is, more: sharpened
  kPosterize,     // keeps `amount` bits of each value
  kSolarize,      // inverts values from `amount` on
  kAutoContrast,  // stretches each channel to 0 ... 255
  kEqualize,      // levels the histogram of each channel
};

struct ColourOperation {
  ColourKind kind = ColourKind::kJitter;
  double amount = 0;
  // Of kJitter: factors, and a share of a whole turn.
  double brightness = 1, contrast = 1, saturation = 1, hue = 0;
};

// Brightness, contrast about the mean grey, saturation and a turn of the hue are one affine map of colours,
// clamped once; torchvision clamps after each. The turn keeps luminance (the hueRotate of SVG 1.1, section
// 15.10). The others are those of torchvision's functional transforms.
void apply(const ColourOperation& operation, const Picture& picture);

// A rectangle of pixels: x1 <= x < x2.
struct Rectangle {
  int x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};
void erase(const Rectangle& rectangle, const std::array<std::uint8_t, 3>& colour, const Picture& picture);

}  // namespace tune::trainer::image_classification

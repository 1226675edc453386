#pragma once
// Samples a part of a picture into a square.
#include <array>
#include <cstdint>

#include "trainer/images/image.h"

namespace tune::trainer::image_classification {

// A map of the output's pixels into itself, about its middle: (u, v) of the output shows what (a u + b v + c,
// d u + e v + f) would show without it; u and v count from the middle in widths of the output.
struct Bend {
  double a = 1, b = 0, c = 0, d = 0, e = 1, f = 0;
  bool operator==(const Bend&) const = default;
};
// First `inner`, then `outer`, as they follow each other on the way from the output to the source.
Bend composed(const Bend& outer, const Bend& inner);
Bend turned_by(double degrees);

// A rectangle of the source, in its pixels, that fills the output, and how it lies there.
struct Crop {
  double x = 0, y = 0, width = 0, height = 0;
  bool mirrored = false, upside_down = false;
  Bend bend = {};
};

// Fills size * size * 3 bytes. Without a bend with a triangle filter that is widened when shrinking
// (antialiased bilinear), in 8 fractional bits; with one between the four nearest pixels, where the picture
// goes on mirrored at its edges. The source has 1 or 3 channels.
void sample_crop(const Crop& crop, const images::Image& source, int size, std::uint8_t* to);

}  // namespace tune::trainer::image_classification

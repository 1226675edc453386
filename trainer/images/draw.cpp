#include "trainer/images/draw.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tuner/core/error.h"

namespace tune::trainer::images {

namespace {

void fill(Image& image, int x1, int y1, int x2, int y2, const Colour& colour) {
  for (int y = std::max(y1, 0); y < std::min(y2, image.height); ++y)
    for (int x = std::max(x1, 0); x < std::min(x2, image.width); ++x)
      std::copy(colour.begin(), colour.end(), image.row(y) + 3 * x);
}

// A coordinate of an annotation may be anything; pictures end at 2^28 pixels.
int pixel(double coordinate) { return static_cast<int>(std::lround(std::clamp(coordinate, -1e9, 1e9))); }

}  // namespace

void draw_box(Image& image, double x1, double y1, double x2, double y2, const Colour& colour, int thickness) {
  TUNE_CHECK(image.channels == 3);
  if (!std::isfinite(x1) || !std::isfinite(y1) || !std::isfinite(x2) || !std::isfinite(y2)) return;
  const int left = pixel(std::min(x1, x2)), right = pixel(std::max(x1, x2)), top = pixel(std::min(y1, y2)),
            bottom = pixel(std::max(y1, y2));
  fill(image, left, top, right, top + thickness, colour);
  fill(image, left, bottom - thickness, right, bottom, colour);
  fill(image, left, top, left + thickness, bottom, colour);
  fill(image, right - thickness, top, right, bottom, colour);
}

Image beside(const std::vector<Image>& parts, int gap) {
  Image whole{0, 0, 3, {}};
  for (const Image& part : parts) {
    TUNE_CHECK(part.channels == 3);
    whole.width += part.width + (whole.width > 0 ? gap : 0);
    whole.height = std::max(whole.height, part.height);
  }
  whole.pixels.assign(whole.row_bytes() * static_cast<std::size_t>(whole.height), 255);
  int x = 0;
  for (const Image& part : parts) {
    for (int y = 0; y < part.height; ++y) std::memcpy(whole.row(y) + 3 * x, part.row(y), part.row_bytes());
    x += part.width + gap;
  }
  return whole;
}

}  // namespace tune::trainer::images

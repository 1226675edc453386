#pragma once
// Drawing on images for people: boxes, and several images beside each other in one.
#include <array>
#include <vector>

#include "trainer/images/image.h"

namespace tune::trainer::images {

using Colour = std::array<std::uint8_t, 3>;  // red, green, blue

// A rectangle's outline, `thickness` pixels wide, inside its edges; what lies outside the image is left out.
// The image has three channels.
void draw_box(Image& image, double x1, double y1, double x2, double y2, const Colour& colour,
              int thickness = 1);

// The images from left to right, their tops level, `gap` white pixels apart. All have three channels.
Image beside(const std::vector<Image>& parts, int gap = 8);

}  // namespace tune::trainer::images

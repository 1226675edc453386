#pragma once
// How a camera was held: EXIF's orientation, and pixels turned by it.
#include <cstdint>
#include <span>

#include "trainer/images/image.h"

namespace tune::trainer::images {

using Bytes = std::span<const std::uint8_t>;

// Tag 0x0112 of the first directory of an EXIF block (with or without "Exif\0\0" before it): 1 to 8, and 1
// where it is absent or damaged, as every viewer has it. EXIF 2.32, section 4.6.
int exif_orientation(Bytes exif);

// The EXIF block of a JPEG's first segments; empty without one.
Bytes jpeg_exif(Bytes file);

// Size and pixels as a person sees them: 5 to 8 exchange the sides.
Size upright(Size stored, int orientation);
Image upright(Image stored, int orientation);

}  // namespace tune::trainer::images

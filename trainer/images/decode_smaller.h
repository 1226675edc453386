#pragma once
// Decoding of pictures that will be made smaller anyway.
#include <filesystem>

#include "trainer/images/image.h"

namespace tune::trainer::images {

// As decode(), but a JPEG whose shorter side has at least twice `shorter_side` pixels is decoded at a half, a
// quarter or an eighth of its size (the smallest that leaves at least `shorter_side`; sides are rounded up).
// Its blocks are transformed into fewer pixels, which with resizing takes about half of the time. These are
// not the pixels that resizing the whole picture gives, so nothing is measured on them.
Image decode_smaller(const std::filesystem::path& file, int shorter_side);

}  // namespace tune::trainer::images

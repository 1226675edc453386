#pragma once
// Pictures that come over a wire instead of out of a file.
#include <cstdint>
#include <span>
#include <string>

#include "trainer/images/image.h"

namespace tune::trainer::images {

// As decode(), of a file's bytes; `name` is what errors call it ("the image"). What has more pixels than
// `most_pixels` is refused before any is decoded.
Image decode_bytes(std::span<const std::uint8_t> bytes, const std::string& name, std::int64_t most_pixels);

}  // namespace tune::trainer::images

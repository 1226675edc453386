#pragma once
// JPEG and PNG behind one face each; used by decode.cpp alone. `name` goes into the messages of
// Error(kBadData).
#include <cstdint>
#include <span>
#include <string>

#include "trainer/images/image.h"

namespace tune::trainer::images {

using Bytes = std::span<const std::uint8_t>;

bool is_jpeg(Bytes file);
bool is_png(Bytes file);
Size jpeg_size(Bytes file, const std::string& name);
Size png_size(Bytes file, const std::string& name);
Image decode_jpeg(Bytes file, const std::string& name);
Image decode_png(Bytes file, const std::string& name);
std::string encode_png(const Image& image);

[[noreturn]] void refuse_image(const std::string& name, const std::string& cause, const std::string& cure);
// A few bytes of header may announce terabytes of pixels: refuses images of more than 2^28 pixels.
void require_sensible_size(long width, long height, const std::string& name);

}  // namespace tune::trainer::images

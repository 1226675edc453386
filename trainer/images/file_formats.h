#pragma once
// The file formats behind one face each; used by decode.cpp alone. `name` goes into the messages of
// Error(kBadData).
#include <cstdint>
#include <span>
#include <string>

#include "trainer/images/exif.h"
#include "trainer/images/image.h"

namespace tune::trainer::images {

// What the header says; the size is that of the stored pixels.
struct Stored {
  Size size;
  int orientation = 1;  // EXIF's, 1 to 8
};

bool is_jpeg(Bytes file);
bool is_png(Bytes file);
bool is_bmp(Bytes file);
bool is_tiff(Bytes file);
bool is_webp(Bytes file);
Stored jpeg_header(Bytes file, const std::string& name);
Stored png_header(Bytes file, const std::string& name);
Stored bmp_header(Bytes file, const std::string& name);
Stored tiff_header(Bytes file, const std::string& name);
Stored webp_header(Bytes file, const std::string& name);
// The stored pixels, three channels.
Image decode_jpeg(Bytes file, const std::string& name);
// At 1 / `divisor` of its size, rounded up: 1, 2, 4 or 8.
Image decode_jpeg(Bytes file, const std::string& name, int divisor);
Image decode_png(Bytes file, const std::string& name);
Image decode_bmp(Bytes file, const std::string& name);
Image decode_tiff(Bytes file, const std::string& name);
Image decode_webp(Bytes file, const std::string& name);

[[noreturn]] void refuse_image(const std::string& name, const std::string& cause, const std::string& cure);
// "NAME is a truncated or damaged KIND: CAUSE"
[[noreturn]] void refuse_damaged(const std::string& name, const char* kind, const std::string& cause);
// A few bytes of header may announce terabytes of pixels: refuses images of more than 2^28 pixels.
void require_sensible_size(long width, long height, const std::string& name);

}  // namespace tune::trainer::images

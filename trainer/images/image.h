#pragma once
// Pictures in memory, and the two file formats they come from.
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tune::trainer::images {

// Rows from the top, pixels from the left, channels innermost; no padding.
struct Image {
  int width = 0, height = 0;
  int channels = 0;                  // 1: grey, 3: red, green, blue
  std::vector<std::uint8_t> pixels;  // height * width * channels
  std::uint8_t* row(int y) { return pixels.data() + static_cast<std::size_t>(y) * row_bytes(); }
  const std::uint8_t* row(int y) const { return pixels.data() + static_cast<std::size_t>(y) * row_bytes(); }
  std::size_t row_bytes() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  }
};

struct Size {
  int width = 0, height = 0;
};

// Reads the header alone. Throws Error(kBadData) naming the file and what is wrong with it: missing, neither
// JPEG nor PNG, damaged.
Size read_size(const std::filesystem::path& file);

// Decodes a JPEG or PNG file, told apart by its first bytes, to three channels. A truncated or damaged file
// throws Error(kBadData): half an image would train silently. Pixels are those of the file: an EXIF
// orientation is not applied (annotations count in stored pixels), colour profiles are ignored, a PNG's
// transparency is dropped.
Image decode(const std::filesystem::path& file);

// Writes a PNG of 8 bits per channel.
void write_png(const std::filesystem::path& file, const Image& image);

// An image whose three channels are equal everywhere becomes one channel; others come back as they are.
Image narrow_if_grey(Image image);

// Scales to width x height with a triangle filter that is widened when shrinking (antialiased bilinear),
// horizontally first, with weights of 22 fractional bits and rounding to 8 bits after each pass: the
// arithmetic of Pillow's Image.resize(..., BILINEAR), and the same bytes.
Image resize(const Image& image, Size size);

}  // namespace tune::trainer::images

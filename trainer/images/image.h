#pragma once
// Pictures in memory, and the file formats they come from.
#include <cstdint>
#include <filesystem>
#include <optional>
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

// JPEG, PNG, BMP, TIFF and WebP are read; a file's first bytes say which, not its name.
enum class FileFormat { kJpeg, kPng, kBmp, kTiff, kWebp };
const char* format_name(FileFormat format);

struct Header {
  Size size;            // upright, as decode() gives it
  Size stored;          // the same before the orientation was applied
  int orientation = 1;  // EXIF's: 1 where nothing is turned
  FileFormat format = FileFormat::kJpeg;
};

// Reads no pixels. Throws Error(kBadData) naming the file and what is wrong with it: missing, of a format
// that is not read, damaged.
Header read_header(const std::filesystem::path& file);
// The size of that.
Size read_size(const std::filesystem::path& file);

// Decodes a file to three channels. A truncated or damaged file throws Error(kBadData): half an image would
// train silently. EXIF's orientation is applied, here and nowhere else, so that every caller sees the picture
// as people and their annotation tools do. Colour profiles are ignored, transparency is dropped, 16 bits
// become 8.
Image decode(const std::filesystem::path& file);

// What the name's end says; nullopt for any other end.
std::optional<FileFormat> format_of_name(const std::filesystem::path& file);
// Whether the file is a picture by its name or its first bytes, also one of a format that is not read (GIF,
// HEIF, JPEG 2000, JPEG XL), which read_header() then refuses by name.
bool is_picture(const std::filesystem::path& file);

// An image whose three channels are equal everywhere becomes one channel; others come back as they are.
Image narrow_if_grey(Image image);

// How pixels between pixels are found: over two in each direction, or over four by the cubic of Keys (1981)
// with a = -0.5. Both filters are widened when shrinking (antialiased).
enum class Interpolation { kBilinear, kBicubic };

// Scales to width x height, horizontally first, with weights of 22 fractional bits and rounding to 8 bits
// after each pass: the arithmetic of Pillow's Image.resize(..., BILINEAR or BICUBIC), and the same bytes.
Image resize(const Image& image, Size size, Interpolation interpolation = Interpolation::kBilinear);

// Pixels of an image, which all lie in it.
struct Part {
  int left = 0, top = 0, width = 0, height = 0;
};
// The same bytes as that part of resize(image, size, interpolation), without the rest being computed.
Image resize_part(const Image& image, Size size, Part part, Interpolation interpolation);

}  // namespace tune::trainer::images

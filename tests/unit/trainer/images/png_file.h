#pragma once
// PNG files of every kind, written without libpng: uncompressed, so that a test can state each sample.
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tune::trainer::tests {

// Colour types of the PNG specification (ISO/IEC 15948, table 11.1).
enum class PngColour { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6 };

struct PngFile {
  int width = 0, height = 0, depth = 8;  // bits per sample
  PngColour colour = PngColour::kGrey;
  bool interlaced = false;
  std::vector<std::array<std::uint8_t, 3>> palette;
  std::function<int(int x, int y, int channel)> sample;  // 0 to 2^depth - 1
};

inline std::string big_endian(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 0xff);
  return bytes;
}

inline std::string png_chunk(const std::string& type, const std::string& data) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : type + data) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
  }
  return big_endian(static_cast<std::uint32_t>(data.size())) + type + data + big_endian(~crc);
}

// A zlib stream of one stored block (RFC 1950, RFC 1951 3.2.4); at most 65,535 bytes.
inline std::string stored(const std::string& data) {
  const auto size = static_cast<std::uint32_t>(data.size());
  std::string stream{'\x78',
                     '\x01',
                     '\x01',
                     static_cast<char>(size & 0xff),
                     static_cast<char>(size >> 8),
                     static_cast<char>(~size & 0xff),
                     static_cast<char>(~size >> 8 & 0xff)};
  std::uint32_t a = 1, b = 0;
  for (const char c : data) {
    a = (a + static_cast<std::uint8_t>(c)) % 65521;
    b = (b + a) % 65521;
  }
  return stream + data + big_endian(b << 16 | a);
}

inline int channels_of(PngColour colour) {
  switch (colour) {
    case PngColour::kRgb:
      return 3;
    case PngColour::kGreyAlpha:
      return 2;
    case PngColour::kRgba:
      return 4;
    default:
      return 1;
  }
}

// The rows of every step-th pixel from (x0, y0), each after the byte of filter 0.
inline std::string png_rows(const PngFile& png, int x0, int y0, int step_x, int step_y) {
  std::string rows;
  if (x0 >= png.width) return rows;
  for (int y = y0; y < png.height; y += step_y) {
    rows += '\0';
    std::uint32_t bits = 0;
    int held = 0;
    for (int x = x0; x < png.width; x += step_x)
      for (int c = 0; c < channels_of(png.colour); ++c) {
        bits = bits << png.depth | static_cast<std::uint32_t>(png.sample(x, y, c));
        held += png.depth;
        for (; held >= 8; held -= 8) rows += static_cast<char>(bits >> (held - 8) & 0xff);
      }
    if (held > 0) rows += static_cast<char>(bits << (8 - held) & 0xff);
  }
  return rows;
}

inline std::string encode(const PngFile& png) {
  std::string header = big_endian(static_cast<std::uint32_t>(png.width)) +
                       big_endian(static_cast<std::uint32_t>(png.height)) + static_cast<char>(png.depth) +
                       static_cast<char>(png.colour) + std::string(2, '\0') + (png.interlaced ? '\1' : '\0');
  std::string rows, palette;
  if (png.interlaced) {  // Adam7
    constexpr std::array<std::array<int, 4>, 7> kPasses = {
        {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}};
    for (const auto& [x, y, dx, dy] : kPasses) rows += png_rows(png, x, y, dx, dy);
  } else {
    rows = png_rows(png, 0, 0, 1, 1);
  }
  for (const auto& entry : png.palette)
    for (const std::uint8_t value : entry) palette += static_cast<char>(value);
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) +
         (palette.empty() ? "" : png_chunk("PLTE", palette)) + png_chunk("IDAT", stored(rows)) +
         png_chunk("IEND", "");
}

}  // namespace tune::trainer::tests

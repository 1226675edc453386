#pragma once
// Small picture files of every format that is read, byte by byte: 3 x 2 pixels, and what a camera writes
// about how it was held.
#include <cstdint>
#include <string>
#include <vector>

namespace tune::trainer::tests {

// Red, green, blue; (10, 20, 30), (40, 50, 60), (70, 80, 90).
inline const std::vector<std::uint8_t> kSixPixels{255, 0,  0,  0,  255, 0,  0,  0,  255,
                                                  10,  20, 30, 40, 50,  60, 70, 80, 90};

inline std::string little(std::uint32_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> (8 * i) & 0xff);
  return text;
}

// A TIFF directory entry of one number.
inline std::string entry(std::uint32_t tag, std::uint32_t value, std::uint32_t type = 3) {
  return little(tag, 2) + little(type, 2) + little(1, 4) + little(value, 4);
}

// An EXIF block with an orientation alone.
inline std::string exif_block(int orientation) {
  return std::string("II*\0", 4) + little(8, 4) + little(1, 2) +
         entry(0x112, static_cast<std::uint32_t>(orientation)) + little(0, 4);
}

inline std::string six_pixels_bmp() {
  std::string rows;
  for (const std::size_t row : {1U, 0U}) {  // from the bottom, blue first, to a multiple of four bytes
    for (std::size_t x = 0; x < 3; ++x)
      for (const std::size_t c : {2U, 1U, 0U}) rows += static_cast<char>(kSixPixels[(row * 3 + x) * 3 + c]);
    rows += std::string(3, '\0');
  }
  return "BM" + little(54 + 24, 4) + little(0, 4) + little(54, 4) + little(40, 4) + little(3, 4) +
         little(2, 4) + little(1, 2) + little(24, 2) + std::string(24, '\0') + rows;
}

inline std::string six_pixels_tiff(int orientation = 1, int pages = 1) {
  std::string file =
      std::string("II*\0", 4) + little(8 + 6 + 18, 4) + little(8, 2) + little(8, 2) + little(8, 2);
  file.append(kSixPixels.begin(), kSixPixels.end());
  for (int page = 0; page < pages; ++page) {
    const std::string entries = entry(256, 3) + entry(257, 2) + little(258, 2) + little(3, 2) + little(3, 4) +
                                little(8, 4) + entry(259, 1) + entry(262, 2) + entry(273, 14, 4) +
                                entry(274, static_cast<std::uint32_t>(orientation)) + entry(277, 3) +
                                entry(278, 2) + entry(279, 18, 4);
    const auto next = static_cast<std::uint32_t>(file.size() + 2 + entries.size() + 4);
    file += little(10, 2) + entries + little(page + 1 < pages ? next : 0, 4);
  }
  return file;
}

inline std::string six_pixels_webp(int orientation = 1) {
  // What libwebp writes of them, without loss.
  const std::string pixels(
      "\x2f\x02\x40\x00\x00\x2f\x40\x98\x6d\xb4\x39\xdc\x7b\xfe\x96\xa7\x21\x24\x20\x74\x1f\xfc\x7f\x89\x20"
      "\xdb"
      "\x66\x17\xa9\xbf\xe5\xe7\x3f\xe0\xcf\x78\x26\x45\x01\x85\x6c\x23\xc0\xa1\x7b\x05\x4e\xe9\x22\xfa\x1f"
      "\xc3"
      "\x0b",
      53);
  std::string chunks = "VP8L" + little(53, 4) + pixels + std::string(1, '\0');
  if (orientation > 1) {
    const std::string exif = exif_block(orientation);
    chunks = "VP8X" + little(10, 4) + little(8, 4) + little(2, 3) + little(1, 3) + chunks + "EXIF" +
             little(static_cast<std::uint32_t>(exif.size()), 4) + exif;
  }
  return "RIFF" + little(static_cast<std::uint32_t>(chunks.size() + 4), 4) + "WEBP" + chunks;
}

// A JPEG with an EXIF segment behind its first two bytes.
inline std::string with_exif(const std::string& jpeg, int orientation) {
  const std::string block = std::string("Exif\0\0", 6) + exif_block(orientation);
  const auto length = static_cast<std::uint32_t>(block.size() + 2);
  return jpeg.substr(0, 2) + "\xff\xe1" + static_cast<char>(length >> 8) + static_cast<char>(length & 0xff) +
         block + jpeg.substr(2);
}

}  // namespace tune::trainer::tests

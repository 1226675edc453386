#include "trainer/images/exif.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace tune::trainer::images {

namespace {

constexpr std::string_view kMark{"Exif\0\0", 6};

bool begins_with(Bytes bytes, std::string_view mark) {
  return bytes.size() >= mark.size() && std::memcmp(bytes.data(), mark.data(), mark.size()) == 0;
}

// Reads numbers of either byte order; beyond the end all are 0.
struct Reader {
  Bytes bytes;
  bool little;
  std::size_t byte(std::size_t at) const { return at < bytes.size() ? bytes[at] : 0; }
  std::size_t two(std::size_t at) const {
    return little ? byte(at) | byte(at + 1) << 8 : byte(at) << 8 | byte(at + 1);
  }
  std::size_t four(std::size_t at) const {
    return little ? two(at) | two(at + 2) << 16 : two(at) << 16 | two(at + 2);
  }
};

}  // namespace

int exif_orientation(Bytes exif) {
  if (begins_with(exif, kMark)) exif = exif.subspan(kMark.size());
  const bool little = begins_with(exif, "II"), big = begins_with(exif, "MM");
  if (!little && !big) return 1;
  constexpr std::size_t kEntryBytes = 12, kOrientation = 0x0112, kShort = 3;
  const Reader reader{exif, little};
  const std::size_t directory = reader.four(4), count = reader.two(directory);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (entry + kEntryBytes > exif.size()) break;
    if (reader.two(entry) != kOrientation || reader.two(entry + 2) != kShort) continue;
    const std::size_t value = reader.two(entry + 8);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Bytes jpeg_exif(Bytes file) {
  constexpr std::uint8_t kExifSegment = 0xe1, kFirstSegment = 0xe0, kLastSegment = 0xef, kComment = 0xfe;
  std::size_t at = 2;
  while (at + 4 <= file.size() && file[at] == 0xff) {
    const std::uint8_t kind = file[at + 1];
    if (kind == 0xff) {  // a fill byte
      ++at;
      continue;
    }
    // Application segments come first; what follows is the picture.
    if ((kind < kFirstSegment || kind > kLastSegment) && kind != kComment) return {};
    const std::size_t length = static_cast<std::size_t>(file[at + 2]) << 8 | file[at + 3];
    if (length < 2 || at + 2 + length > file.size()) return {};
    const Bytes content = file.subspan(at + 4, length - 2);
    if (kind == kExifSegment && begins_with(content, kMark)) return content;
    at += 2 + length;
  }
  return {};
}

Size upright(Size stored, int orientation) {
  return orientation >= 5 ? Size{stored.height, stored.width} : stored;
}

Image upright(Image stored, int orientation) {
  if (orientation <= 1) return stored;
  const Size size = upright(Size{stored.width, stored.height}, orientation);
  Image image{size.width, size.height, stored.channels, {}};
  image.pixels.resize(stored.pixels.size());
  const auto channels = static_cast<std::size_t>(stored.channels);
  const bool transposed = orientation >= 5;
  // Where the first stored row and column are seen: right for 2, 3, 6, 7, at the bottom for 3, 4, 7, 8.
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7,
             from_bottom = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      int across = from_right ? image.width - 1 - x : x, down = from_bottom ? image.height - 1 - y : y;
      if (transposed) std::swap(across, down);
      std::memcpy(image.row(y) + static_cast<std::size_t>(x) * channels,
                  stored.row(down) + static_cast<std::size_t>(across) * channels, channels);
    }
  return image;
}

}  // namespace tune::trainer::images

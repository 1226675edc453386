// BMP through stb_image, which is compiled here for this format alone.
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#include <stb/stb_image.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

#include "trainer/images/file_formats.h"

namespace tune::trainer::images {

namespace {

int length_of(Bytes file, const std::string& name) {
  if (file.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    refuse_image(name, "is larger than 2 GiB", "Take it out of the data set.");
  return static_cast<int>(file.size());
}

}  // namespace

bool is_bmp(Bytes file) {
  // The sizes of its header's versions; two letters alone would be many a text.
  constexpr std::array<std::uint8_t, 6> kHeaders{12, 40, 52, 56, 108, 124};
  return file.size() >= 18 && file[0] == 'B' && file[1] == 'M' && file[15] == 0 && file[16] == 0 &&
         file[17] == 0 && std::find(kHeaders.begin(), kHeaders.end(), file[14]) != kHeaders.end();
}

Stored bmp_header(Bytes file, const std::string& name) {
  Stored stored;
  int channels = 0;
  if (!stbi_info_from_memory(file.data(), length_of(file, name), &stored.size.width, &stored.size.height,
                             &channels))
    refuse_damaged(name, "BMP", stbi_failure_reason());
  require_sensible_size(stored.size.width, stored.size.height, name);
  return stored;
}

Image decode_bmp(Bytes file, const std::string& name) {
  const Size size = bmp_header(file, name).size;
  Image image{size.width, size.height, 3, {}};
  // stb_image reads missing pixels as zeros.
  const std::size_t offset = file.size() < 14 ? 0 : file[10] | file[11] << 8 | file[12] << 16;
  const std::size_t bits = file.size() < 30 ? 24 : file[14] == 12 ? file[24] : file[28];
  const std::size_t row = (image.width * bits + 31) / 32 * 4;
  if (file.size() < offset + row * static_cast<std::size_t>(image.height))
    refuse_damaged(name, "BMP", "the file ends early");
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(file.data(), length_of(file, name), &width, &height, &channels, 3),
      stbi_image_free);
  if (!pixels) refuse_damaged(name, "BMP", stbi_failure_reason());
  image.pixels.assign(pixels.get(),
                      pixels.get() + image.row_bytes() * static_cast<std::size_t>(image.height));
  return image;
}

}  // namespace tune::trainer::images

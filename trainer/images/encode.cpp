#include "trainer/images/encode.h"

#include <png.h>
#include <turbojpeg.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::images {

std::string jpeg_bytes(const Image& image, int quality) {
  TUNE_CHECK(image.channels == 3);
  const std::unique_ptr<void, int (*)(tjhandle)> encoder(tjInitCompress(), tjDestroy);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int failed = tjCompress2(encoder.get(), image.pixels.data(), image.width, 0, image.height, TJPF_RGB,
                                 &bytes, &size, TJSAMP_444, quality, TJFLAG_ACCURATEDCT);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(bytes, tjFree);
  if (failed != 0)
    throw Error(ExitCode::kInternal, std::string("cannot encode a JPEG: ") + tjGetErrorStr2(encoder.get()));
  return {reinterpret_cast<const char*>(bytes), size};
}

void write_jpeg(const std::filesystem::path& file, const Image& image, int quality) {
  write_file_atomically(file, jpeg_bytes(image, quality));
}

void write_grey_as_jpeg(const std::filesystem::path& file, std::span<const std::uint8_t> grey, int width,
                        int height, int quality) {
  TUNE_CHECK(grey.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  Image image{width, height, 3, {}};
  image.pixels.resize(grey.size() * 3);
  for (std::size_t i = 0; i < grey.size(); ++i)
    image.pixels[3 * i] = image.pixels[3 * i + 1] = image.pixels[3 * i + 2] = grey[i];
  write_jpeg(file, image, quality);
}

void write_png(const std::filesystem::path& file, const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string bytes(size, '\0');
  if (!png_image_write_to_memory(&header, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr))
    throw Error(ExitCode::kInternal, std::string("cannot encode a PNG: ") + header.message);
  bytes.resize(size);
  write_file_atomically(file, bytes);
}

}  // namespace tune::trainer::images

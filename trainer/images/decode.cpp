#include <fstream>

#include "trainer/images/file_formats.h"
#include "trainer/images/image.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"

namespace tune::trainer::images {

namespace {

constexpr std::size_t kHeaderBytes = std::size_t{1} << 16;  // one JPEG segment; EXIF thumbnails may need more

// At most `limit` bytes from the file's start.
std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path, std::size_t limit) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    refuse_image(path.string(),
                 std::filesystem::exists(path, ignored) ? "is not a regular file" : "does not exist",
                 "Put the image there or take it out of the annotations.");
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (size < 0) refuse_image(path.string(), "cannot be opened", "Check its permissions.");
  std::vector<std::uint8_t> bytes(std::min(static_cast<std::size_t>(size), limit));
  file.seekg(0);
  if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())))
    refuse_image(path.string(), "cannot be read", "Check the disk.");
  return bytes;
}

[[noreturn]] void refuse_format(const std::filesystem::path& file, Bytes bytes) {
  if (bytes.empty())
    refuse_image(file.string(), "is empty", "Fetch it again or take it out of the data set.");
  refuse_image(file.string(), "is neither JPEG nor PNG",
               "Convert it to one of these or take it out of the data set.");
}

}  // namespace

void refuse_image(const std::string& name, const std::string& cause, const std::string& cure) {
  throw Error(ExitCode::kBadData, name + " " + cause, cure);
}

void require_sensible_size(long width, long height, const std::string& name) {
  constexpr long kMostPixels = 1L << 28;
  if (width > 0 && height > 0 && width <= kMostPixels / height) return;
  refuse_image(name, "has " + std::to_string(width) + "x" + std::to_string(height) + " pixels",
               "Images of up to 2^28 pixels are read.");
}

Size read_size(const std::filesystem::path& file) {
  std::vector<std::uint8_t> bytes = read_bytes(file, kHeaderBytes);
  if (is_png(bytes)) return png_size(bytes, file.string());
  if (!is_jpeg(bytes)) refuse_format(file, bytes);
  if (bytes.size() == kHeaderBytes) {
    try {
      return jpeg_size(bytes, file.string());
    } catch (const Error&) {
      bytes = read_bytes(file, static_cast<std::size_t>(-1));
    }
  }
  return jpeg_size(bytes, file.string());
}

Image decode(const std::filesystem::path& file) {
  const std::vector<std::uint8_t> bytes = read_bytes(file, static_cast<std::size_t>(-1));
  if (is_jpeg(bytes)) return decode_jpeg(bytes, file.string());
  if (is_png(bytes)) return decode_png(bytes, file.string());
  refuse_format(file, bytes);
}

void write_png(const std::filesystem::path& file, const Image& image) {
  write_file_atomically(file, encode_png(image));
}

Image narrow_if_grey(Image image) {
  if (image.channels != 3) return image;
  const std::size_t count = image.pixels.size() / 3;
  for (std::size_t i = 0; i < count; ++i)
    if (image.pixels[3 * i] != image.pixels[3 * i + 1] || image.pixels[3 * i] != image.pixels[3 * i + 2])
      return image;
  Image grey{image.width, image.height, 1, std::vector<std::uint8_t>(count)};
  for (std::size_t i = 0; i < count; ++i) grey.pixels[i] = image.pixels[3 * i];
  return grey;
}

}  // namespace tune::trainer::images

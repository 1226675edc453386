#include <algorithm>
#include <cctype>
#include <fstream>
#include <string_view>

#include "trainer/images/decode_bytes.h"
#include "trainer/images/decode_smaller.h"
#include "trainer/images/file_formats.h"
#include "trainer/images/image.h"
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

struct Codec {
  FileFormat format;
  const char* name;
  std::vector<std::string_view> extensions;
  bool (*is)(Bytes);
  Stored (*header)(Bytes, const std::string&);
  Image (*decode)(Bytes, const std::string&);
  bool header_at_start;  // else it may lie anywhere
};

const std::vector<Codec>& codecs() {
  static const std::vector<Codec> table{
      {FileFormat::kJpeg, "JPEG", {"jpg", "jpeg", "jpe", "jfif"}, is_jpeg, jpeg_header, decode_jpeg, true},
      {FileFormat::kPng, "PNG", {"png"}, is_png, png_header, decode_png, true},
      {FileFormat::kBmp, "BMP", {"bmp", "dib"}, is_bmp, bmp_header, decode_bmp, true},
      {FileFormat::kTiff, "TIFF", {"tif", "tiff"}, is_tiff, tiff_header, decode_tiff, false},
      {FileFormat::kWebp, "WebP", {"webp"}, is_webp, webp_header, decode_webp, false},
  };
  return table;
}

// The name of a picture format that is not read, by its first bytes; nullptr for no picture.
const char* unread_format(Bytes bytes) {
  using namespace std::string_view_literals;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("GIF8")) return "a GIF";
  if (text.starts_with("\0\0\0\x0cjP  "sv)) return "a JPEG 2000";
  if (text.starts_with("\0\0\0\x0cJXL "sv) || text.starts_with("\xff\x0a")) return "a JPEG XL";
  if (text.size() >= 12 && text.substr(4, 4) == "ftyp")
    for (const std::string_view brand : {"heic", "heix", "hevc", "mif1", "msf1", "avif", "avis"})
      if (text.substr(8, 4) == brand) return brand.starts_with("avi") ? "an AVIF" : "a HEIC";
  return nullptr;
}

const Codec& codec_of(const std::string& name, Bytes bytes) {
  if (bytes.empty()) refuse_image(name, "is empty", "Fetch it again or take it out of the data set.");
  for (const Codec& codec : codecs())
    if (codec.is(bytes)) return codec;
  const char* unread = unread_format(bytes);
  refuse_image(name,
               unread ? "is " + std::string(unread) + ", which is not read"
                      : std::string("is neither JPEG, PNG, BMP, TIFF nor WebP"),
               "Convert it to PNG or JPEG, or take it out of the data set.");
}

}  // namespace

void refuse_image(const std::string& name, const std::string& cause, const std::string& cure) {
  throw Error(ExitCode::kBadData, name + " " + cause, cure);
}

void refuse_damaged(const std::string& name, const char* kind, const std::string& cause) {
  refuse_image(name, std::string("is a truncated or damaged ") + kind + ": " + cause,
               "Replace the file or take it out of the data set.");
}

void require_sensible_size(long width, long height, const std::string& name) {
  constexpr long kMostPixels = 1L << 28;
  if (width > 0 && height > 0 && width <= kMostPixels / height) return;
  refuse_image(name, "has " + std::to_string(width) + "x" + std::to_string(height) + " pixels",
               "Images of up to 2^28 pixels are read.");
}

const char* format_name(FileFormat format) {
  for (const Codec& codec : codecs())
    if (codec.format == format) return codec.name;
  return "";
}

Header read_header(const std::filesystem::path& file) {
  std::vector<std::uint8_t> bytes = read_bytes(file, kHeaderBytes);
  const Codec& codec = codec_of(file.string(), bytes);
  const auto header = [&] {
    const Stored stored = codec.header(bytes, file.string());
    return Header{upright(stored.size, stored.orientation), stored.size, stored.orientation, codec.format};
  };
  const bool cut = bytes.size() == kHeaderBytes;
  if (cut && codec.header_at_start) {
    try {
      return header();
    } catch (const Error&) {  // perhaps a header that is longer
    }
  }
  if (cut) bytes = read_bytes(file, static_cast<std::size_t>(-1));
  return header();
}

Size read_size(const std::filesystem::path& file) { return read_header(file).size; }

Image decode(const std::filesystem::path& file) {
  const std::vector<std::uint8_t> bytes = read_bytes(file, static_cast<std::size_t>(-1));
  const Codec& codec = codec_of(file.string(), bytes);
  const int orientation = codec.header(bytes, file.string()).orientation;
  return upright(codec.decode(bytes, file.string()), orientation);
}

Image decode_bytes(Bytes bytes, const std::string& name, std::int64_t most_pixels) {
  const Codec& codec = codec_of(name, bytes);
  const Stored stored = codec.header(bytes, name);
  if (std::int64_t{stored.size.width} * stored.size.height > most_pixels)
    refuse_image(name,
                 "has " + std::to_string(stored.size.width) + "x" + std::to_string(stored.size.height) +
                     " pixels, and up to " + std::to_string(most_pixels) + " are taken",
                 "Send a smaller one.");
  return upright(codec.decode(bytes, name), stored.orientation);
}

Image decode_smaller(const std::filesystem::path& file, int shorter_side) {
  const std::vector<std::uint8_t> bytes = read_bytes(file, static_cast<std::size_t>(-1));
  const Codec& codec = codec_of(file.string(), bytes);
  const Stored stored = codec.header(bytes, file.string());
  if (codec.format != FileFormat::kJpeg)
    return upright(codec.decode(bytes, file.string()), stored.orientation);
  int divisor = 8;
  while (divisor > 1 && std::min(stored.size.width, stored.size.height) < divisor * shorter_side)
    divisor /= 2;
  return upright(decode_jpeg(bytes, file.string(), divisor), stored.orientation);
}

std::optional<FileFormat> format_of_name(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const Codec& codec : codecs())
    for (const std::string_view known : codec.extensions)
      if (extension.size() > 1 && extension.substr(1) == known) return codec.format;
  return std::nullopt;
}

bool is_picture(const std::filesystem::path& file) {
  if (format_of_name(file)) return true;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return false;
  constexpr std::size_t kMarkBytes = 32;
  std::vector<std::uint8_t> bytes;
  try {
    bytes = read_bytes(file, kMarkBytes);
  } catch (const Error&) {
    return false;
  }
  return unread_format(bytes) != nullptr ||
         std::any_of(codecs().begin(), codecs().end(), [&](const Codec& codec) { return codec.is(bytes); });
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

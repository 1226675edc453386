#include <tiffio.h>

#include <cstdarg>
#include <cstring>
#include <memory>

#include "trainer/images/file_formats.h"

namespace tune::trainer::images {

namespace {

// libtiff's view of the bytes, and what it said last. Lives on the stack of one call.
struct TiffSource {
  Bytes file;
  std::size_t position = 0;
  std::string message;
};

tmsize_t read_from(thandle_t handle, void* to, tmsize_t count) {
  auto* source = static_cast<TiffSource*>(handle);
  const std::size_t left = source->file.size() - std::min(source->position, source->file.size());
  const std::size_t taken = std::min(left, static_cast<std::size_t>(count));
  if (taken > 0) std::memcpy(to, source->file.data() + source->position, taken);
  source->position += taken;
  return static_cast<tmsize_t>(taken);
}

tmsize_t write_to(thandle_t, void*, tmsize_t) { return 0; }

toff_t seek_to(thandle_t handle, toff_t offset, int whence) {
  auto* source = static_cast<TiffSource*>(handle);
  const std::size_t from = whence == SEEK_CUR   ? source->position
                           : whence == SEEK_END ? source->file.size()
                                                : 0;
  source->position = from + static_cast<std::size_t>(offset);
  return source->position;
}

int close_it(thandle_t) { return 0; }
toff_t size_of(thandle_t handle) { return static_cast<TiffSource*>(handle)->file.size(); }
int map_it(thandle_t, void**, toff_t*) { return 0; }
void unmap_it(thandle_t, void*, toff_t) {}

int on_error(TIFF*, void* user, const char*, const char* format, std::va_list arguments) {
  char text[256];
  std::vsnprintf(text, sizeof text, format, arguments);
  static_cast<TiffSource*>(user)->message = text;
  return 1;
}

int on_warning(TIFF*, void*, const char*, const char*, std::va_list) { return 1; }

// One open file; lives for one call.
class TiffReader {
 public:
  TiffReader(Bytes file, const std::string& name) : name_(name), tiff_(nullptr, TIFFClose) {
    source_.file = file;
    const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                               TIFFOpenOptionsFree);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, &source_);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, &source_);
    tiff_.reset(TIFFClientOpenExt("image", "rm", &source_, read_from, write_to, seek_to, close_it, size_of,
                                  map_it, unmap_it, options.get()));
    if (!tiff_) refuse();
    require_one_picture();
  }

  Stored header() {
    std::uint32_t width = 0, height = 0;
    TIFFGetField(tiff_.get(), TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff_.get(), TIFFTAG_IMAGELENGTH, &height);
    require_sensible_size(width, height, name_);
    return {{static_cast<int>(width), static_cast<int>(height)}, orientation()};
  }

  Image image() {
    const Stored stored = header();
    char reason[1024] = "";
    if (!TIFFRGBAImageOK(tiff_.get(), reason))
      refuse_image(name_, "is a TIFF of a kind that is not read: " + std::string(reason),
                   "Convert it to 8 or 16 bits a channel, grey or RGB.");
    Image image{stored.size.width, stored.size.height, 3, {}};
    const std::size_t pixels = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
    std::vector<std::uint32_t> raster(pixels);
    // Asked for in the file's own orientation, so that libtiff turns nothing.
    if (!TIFFReadRGBAImageOriented(tiff_.get(), static_cast<std::uint32_t>(image.width),
                                   static_cast<std::uint32_t>(image.height), raster.data(),
                                   stored.orientation, /*stopOnError=*/1))
      refuse();
    image.pixels.reserve(pixels * 3);
    for (const std::uint32_t pixel : raster)
      for (const std::uint32_t value : {TIFFGetR(pixel), TIFFGetG(pixel), TIFFGetB(pixel)})
        image.pixels.push_back(static_cast<std::uint8_t>(value));
    return image;
  }

 private:
  int orientation() {
    std::uint16_t value = 1;
    TIFFGetFieldDefaulted(tiff_.get(), TIFFTAG_ORIENTATION, &value);
    return value >= 1 && value <= 8 ? value : 1;
  }

  // Smaller copies of the picture, as some programs append them, are no pictures of their own.
  bool is_copy() {
    std::uint32_t kind = 0;
    return TIFFGetField(tiff_.get(), TIFFTAG_SUBFILETYPE, &kind) && (kind & FILETYPE_PAGE) == 0 && kind != 0;
  }

  void require_one_picture() {
    if (is_copy())
      refuse_image(name_, "begins with a smaller copy of its picture, as a camera's raw files do",
                   "Convert it to a plain TIFF, a PNG or a JPEG.");
    while (TIFFReadDirectory(tiff_.get()))
      if (!is_copy())
        refuse_image(name_, "holds several pictures", "Write each picture into a file of its own.");
    if (!TIFFSetDirectory(tiff_.get(), 0)) refuse();
    source_.message.clear();
  }

  [[noreturn]] void refuse() const {
    refuse_damaged(name_, "TIFF", source_.message.empty() ? "it cannot be read" : source_.message);
  }

  std::string name_;
  TiffSource source_;
  std::unique_ptr<TIFF, void (*)(TIFF*)> tiff_;
};

}  // namespace

bool is_tiff(Bytes file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  using namespace std::string_view_literals;
  return text.starts_with("II*\0"sv) || text.starts_with("MM\0*"sv) || text.starts_with("II+\0"sv) ||
         text.starts_with("MM\0+"sv);
}

Stored tiff_header(Bytes file, const std::string& name) { return TiffReader(file, name).header(); }
Image decode_tiff(Bytes file, const std::string& name) { return TiffReader(file, name).image(); }

}  // namespace tune::trainer::images

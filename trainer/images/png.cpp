#include <png.h>

#include <csetjmp>
#include <cstring>

#include "trainer/images/file_formats.h"
#include "tuner/core/error.h"

namespace tune::trainer::images {

namespace {

// What libpng's callbacks see. It leaves the library by longjmp, so the functions that call setjmp own
// nothing that needs a destructor.
struct PngSource {
  Bytes file;
  std::size_t position = 0;
  std::string message;
  std::jmp_buf escape;
};

void on_error(png_structp png, png_const_charp message) {
  auto* source = static_cast<PngSource*>(png_get_error_ptr(png));
  source->message = message;
  std::longjmp(source->escape, 1);
}

void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep to, std::size_t count) {
  auto* source = static_cast<PngSource*>(png_get_io_ptr(png));
  if (count > source->file.size() - source->position) png_error(png, "the file ends early");
  std::memcpy(to, source->file.data() + source->position, count);
  source->position += count;
}

// Whether the chunks of a whole header announce further frames (acTL of the PNG specification's third
// edition), which libpng passes over.
bool is_animated(Bytes header) {
  constexpr std::size_t kSignature = 8, kAround = 12;  // length, type and checksum of a chunk
  const auto number = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | header[at + i];
    return value;
  };
  for (std::size_t at = kSignature; at + kAround <= header.size(); at += kAround + number(at))
    if (std::memcmp(header.data() + at + 4, "acTL", 4) == 0) return number(at + 8) > 1;
  return false;
}

// libpng's state while one file is read. Lives on the stack of one call, whose bytes it refers to.
class PngReader {
 public:
  PngReader(Bytes file, const std::string& name) : name_(name) {
    source_.file = file;
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source_, on_error, on_warning);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (!info_) throw Error(ExitCode::kOutOfMemory, "no memory to read " + name);
    png_set_read_fn(png_, &source_, read_bytes);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  Stored header() {
    if (!try_header()) refuse();
    if (is_animated(source_.file.first(source_.position)))
      refuse_image(name_, "is an animated PNG", "Write each picture into a file of its own.");
    require_sensible_size(static_cast<long>(png_get_image_width(png_, info_)),
                          static_cast<long>(png_get_image_height(png_, info_)), name_);
    png_uint_32 length = 0;
    png_bytep exif = nullptr;
    const bool has_exif = png_get_eXIf_1(png_, info_, &length, &exif) == PNG_INFO_eXIf;
    return {{static_cast<int>(png_get_image_width(png_, info_)),
             static_cast<int>(png_get_image_height(png_, info_))},
            has_exif ? exif_orientation({exif, length}) : 1};
  }

  Image image() {
    const Size extent = header().size;
    Image image{extent.width, extent.height, 3, {}};
    image.pixels.resize(image.row_bytes() * static_cast<std::size_t>(image.height));
    std::vector<png_bytep> rows;
    for (int y = 0; y < image.height; ++y) rows.push_back(image.row(y));
    if (!try_pixels(rows.data())) refuse();
    return image;
  }

 private:
  bool try_header() {
    if (setjmp(source_.escape)) return false;
    png_read_info(png_, info_);
    return true;
  }

  bool try_pixels(png_bytepp rows) {
    if (setjmp(source_.escape)) return false;
    png_set_expand(png_);
    png_set_scale_16(png_);
    png_set_strip_alpha(png_);
    png_set_gray_to_rgb(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  [[noreturn]] void refuse() const { refuse_damaged(name_, "PNG", source_.message); }

  std::string name_;
  PngSource source_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

bool is_png(Bytes file) { return file.size() >= 8 && png_sig_cmp(file.data(), 0, 8) == 0; }
Stored png_header(Bytes file, const std::string& name) { return PngReader(file, name).header(); }
Image decode_png(Bytes file, const std::string& name) { return PngReader(file, name).image(); }

}  // namespace tune::trainer::images

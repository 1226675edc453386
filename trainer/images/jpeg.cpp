#include <turbojpeg.h>

#include <memory>
#include <string_view>

#include "trainer/images/file_formats.h"
#include "tuner/core/error.h"

namespace tune::trainer::images {

namespace {

struct Destroy {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Handle = std::unique_ptr<void, Destroy>;

struct JpegHeader {
  int width = 0, height = 0, subsampling = 0, colorspace = 0;
};

JpegHeader read_header(tjhandle handle, Bytes file, const std::string& name) {
  JpegHeader header;
  const bool failed = tjDecompressHeader3(handle, file.data(), file.size(), &header.width, &header.height,
                                          &header.subsampling, &header.colorspace) != 0;
  // Warnings are judged when the pixels are read. A file that ends before its frame header is a success
  // without a size.
  const bool sized = header.width > 0 && header.height > 0;
  if (!sized || (failed && tjGetErrorCode(handle) == TJERR_FATAL))
    refuse_damaged(name, "JPEG", failed ? tjGetErrorStr2(handle) : "it ends within its header");
  require_sensible_size(header.width, header.height, name);
  return header;
}

// libjpeg goes on after a warning with grey where data is missing. Only stray bytes between segments, which
// some cameras write, leave every pixel intact.
void refuse_warning(tjhandle handle, const std::string& name) {
  const std::string_view message = tjGetErrorStr2(handle);
  if (tjGetErrorCode(handle) == TJERR_WARNING &&
      message.find("extraneous bytes before marker") != message.npos)
    return;
  refuse_damaged(name, "JPEG", std::string(message));
}

// Adobe stores CMYK inverted, so that 255 is no ink; TurboJPEG hands the stored bytes on.
Image rgb_from_inverted_cmyk(const std::vector<std::uint8_t>& cmyk, const JpegHeader& header) {
  Image image{header.width, header.height, 3, {}};
  const std::size_t pixels = cmyk.size() / 4;
  image.pixels.resize(pixels * 3);
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      image.pixels[i * 3 + c] = static_cast<std::uint8_t>(cmyk[i * 4 + c] * cmyk[i * 4 + 3] / 255);
  return image;
}

}  // namespace

bool is_jpeg(Bytes file) { return file.size() >= 3 && file[0] == 0xff && file[1] == 0xd8 && file[2] == 0xff; }

Stored jpeg_header(Bytes file, const std::string& name) {
  const Handle handle(tjInitDecompress());
  const JpegHeader header = read_header(handle.get(), file, name);
  return {{header.width, header.height}, exif_orientation(jpeg_exif(file))};
}

Image decode_jpeg(Bytes file, const std::string& name) { return decode_jpeg(file, name, 1); }

Image decode_jpeg(Bytes file, const std::string& name, int divisor) {
  const Handle handle(tjInitDecompress());
  JpegHeader header = read_header(handle.get(), file, name);
  header.width = (header.width + divisor - 1) / divisor;
  header.height = (header.height + divisor - 1) / divisor;
  const bool cmyk = header.colorspace == TJCS_CMYK || header.colorspace == TJCS_YCCK;
  Image image{header.width, header.height, cmyk ? 4 : 3, {}};
  image.pixels.resize(image.row_bytes() * static_cast<std::size_t>(image.height));
  // The accurate inverse transform is libjpeg's default, and so that of Pillow and torchvision.
  // Each scan is a pass over all pixels that a few bytes ask for: cameras write ten, and 500 are enough.
  if (tjDecompress2(handle.get(), file.data(), file.size(), image.pixels.data(), image.width, 0, image.height,
                    cmyk ? TJPF_CMYK : TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0)
    refuse_warning(handle.get(), name);
  if (cmyk) return rgb_from_inverted_cmyk(image.pixels, header);
  return image;
}

}  // namespace tune::trainer::images

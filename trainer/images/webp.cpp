#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "trainer/images/file_formats.h"

namespace tune::trainer::images {

namespace {

int orientation_of(Bytes file) {
  const WebPData data{file.data(), file.size()};
  const std::unique_ptr<WebPDemuxer, void (*)(WebPDemuxer*)> demuxer(WebPDemux(&data), WebPDemuxDelete);
  if (!demuxer) return 1;  // damage is found when the pixels are read
  WebPChunkIterator chunk{};
  int orientation = 1;
  if (WebPDemuxGetChunk(demuxer.get(), "EXIF", 1, &chunk))
    orientation = exif_orientation({chunk.chunk.bytes, chunk.chunk.size});
  WebPDemuxReleaseChunkIterator(&chunk);
  return orientation;
}

}  // namespace

bool is_webp(Bytes file) {
  constexpr std::string_view kRiff = "RIFF", kWebp = "WEBP";
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  return text.size() >= 12 && text.starts_with(kRiff) && text.substr(8, 4) == kWebp;
}

Stored webp_header(Bytes file, const std::string& name) {
  WebPBitstreamFeatures features{};
  if (WebPGetFeatures(file.data(), file.size(), &features) != VP8_STATUS_OK)
    refuse_damaged(name, "WebP", "its header is not understood");
  if (features.has_animation)
    refuse_image(name, "is an animated WebP", "Write each picture into a file of its own.");
  require_sensible_size(features.width, features.height, name);
  return {{features.width, features.height}, orientation_of(file)};
}

Image decode_webp(Bytes file, const std::string& name) {
  const Size size = webp_header(file, name).size;
  Image image{size.width, size.height, 3, {}};
  image.pixels.resize(image.row_bytes() * static_cast<std::size_t>(image.height));
  if (!WebPDecodeRGBInto(file.data(), file.size(), image.pixels.data(), image.pixels.size(),
                         static_cast<int>(image.row_bytes())))
    refuse_damaged(name, "WebP", "its pixels cannot be read");
  return image;
}

}  // namespace tune::trainer::images

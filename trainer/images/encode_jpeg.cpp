#include "trainer/images/encode_jpeg.h"

#include <turbojpeg.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"

namespace tune::trainer::images {

void write_grey_as_jpeg(const std::filesystem::path& file, std::span<const std::uint8_t> grey, int width,
                        int height, int quality) {
  TUNE_CHECK(grey.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  std::vector<std::uint8_t> rgb(grey.size() * 3);
  for (std::size_t i = 0; i < grey.size(); ++i) rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = grey[i];

  const std::unique_ptr<void, int (*)(tjhandle)> encoder(tjInitCompress(), tjDestroy);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int failed = tjCompress2(encoder.get(), rgb.data(), width, 0, height, TJPF_RGB, &bytes, &size,
                                 TJSAMP_444, quality, TJFLAG_ACCURATEDCT);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(bytes, tjFree);
  if (failed != 0)
    throw Error(ExitCode::kEnvironment,
                "cannot encode " + file.string() + ": " + tjGetErrorStr2(encoder.get()));
  write_file_atomically(file, std::string_view(reinterpret_cast<const char*>(bytes), size));
}

}  // namespace tune::trainer::images

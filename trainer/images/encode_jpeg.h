#pragma once
// Writing the images of the synthetic data set.
#include <cstdint>
#include <filesystem>
#include <span>

namespace tune::trainer::images {

// Writes a grey image (row-major, width * height bytes) as a JPEG of three equal channels without chroma
// subsampling. quality: 1 to 100. Throws Error(kEnvironment) naming the file when it cannot be written.
void write_grey_as_jpeg(const std::filesystem::path& file, std::span<const std::uint8_t> grey, int width,
                        int height, int quality = 92);

}  // namespace tune::trainer::images

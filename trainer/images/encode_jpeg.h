#pragma once
// Writes photographs as JPEG: the synthetic data sets and the pictures of an audit.
#include <cstdint>
#include <filesystem>
#include <span>

#include "trainer/images/image.h"

namespace tune::trainer::images {

// An image of three channels, without chroma subsampling. quality: 1 to 100. Throws Error(kEnvironment)
// naming the file when it cannot be written.
void write_jpeg(const std::filesystem::path& file, const Image& image, int quality);

// The same for a grey image (row-major, width * height bytes), as three equal channels.
void write_grey_as_jpeg(const std::filesystem::path& file, std::span<const std::uint8_t> grey, int width,
                        int height, int quality = 92);

}  // namespace tune::trainer::images

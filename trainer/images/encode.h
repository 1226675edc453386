#pragma once
// Writes pictures: those of synthetic data sets, of audits and of tests.
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "trainer/images/image.h"

namespace tune::trainer::images {

// A JPEG of an image of three channels, without chroma subsampling. quality: 1 to 100.
std::string jpeg_bytes(const Image& image, int quality);
// The same as a file. Throws Error(kEnvironment) naming it when it cannot be written.
void write_jpeg(const std::filesystem::path& file, const Image& image, int quality);

// The same for a grey image (row-major, width * height bytes), as three equal channels.
void write_grey_as_jpeg(const std::filesystem::path& file, std::span<const std::uint8_t> grey, int width,
                        int height, int quality = 92);

// A PNG of 8 bits per channel. Throws as write_jpeg().
void write_png(const std::filesystem::path& file, const Image& image);

}  // namespace tune::trainer::images

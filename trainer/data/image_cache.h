#pragma once
// Images are decoded once and kept.
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "trainer/images/image.h"

namespace tune::trainer::data {

// The decoded images of some files in squares of one size, in memory: grey ones with one channel, others with
// three. Made once per process and then only read, from any thread. It changes no pixel but by resizing
// (images::resize), and does not augment.
class ImageCache {
 public:
  // Decodes with `threads` threads. Throws Error(kBadData) with up to 20 files that cannot be decoded, and
  // std::bad_alloc when the images do not fit into memory.
  // Images are stretched to the square: both axes fill the model's input.
  ImageCache(const std::vector<std::filesystem::path>& files, int size, int threads);
  // Each image is brought to its size of `shown`, which fits into the square, and lies in its upper left.
  // What is right of it and below it is black.
  ImageCache(const std::vector<std::filesystem::path>& files, int size, std::vector<images::Size> shown,
             int threads);

  int size() const { return size_; }  // pixels of each side
  std::size_t count() const { return images_.size(); }
  // size * size * channels(index) bytes, rows from the top, channels innermost.
  std::span<const std::uint8_t> pixels(std::size_t index) const { return images_[index]; }
  int channels(std::size_t index) const;
  // What of the square shows the image.
  images::Size shown(std::size_t index) const { return shown_[index]; }
  // Of all the image's values: one for all channels, so that contrast about it does not shift the hue.
  double mean(std::size_t index) const { return means_[index]; }

 private:
  int size_;
  std::vector<images::Size> shown_;
  std::vector<std::vector<std::uint8_t>> images_;
  std::vector<double> means_;
};

}  // namespace tune::trainer::data

#pragma once
// Images are decoded once and kept.
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace tune::trainer::data {

// The decoded images of some files at one square size, in memory: grey ones with one channel, others with
// three. Made once per process and then only read, from any thread. It changes no pixel but by resizing
// (images::resize, which stretches to a square: both axes fill the model's input), and does not augment.
class ImageCache {
 public:
  // Decodes with `threads` threads. Throws Error(kBadData) with up to 20 files that cannot be decoded, and
  // std::bad_alloc when the images do not fit into memory.
  ImageCache(const std::vector<std::filesystem::path>& files, int size, int threads);

  int size() const { return size_; }  // pixels of each side
  std::size_t count() const { return images_.size(); }
  // size * size * channels(index) bytes, rows from the top, channels innermost.
  std::span<const std::uint8_t> pixels(std::size_t index) const { return images_[index]; }
  int channels(std::size_t index) const;
  // Of all its values: one for all channels, so that contrast about it does not shift the hue.
  double mean(std::size_t index) const { return means_[index]; }

 private:
  int size_;
  std::vector<std::vector<std::uint8_t>> images_;
  std::vector<double> means_;
};

}  // namespace tune::trainer::data

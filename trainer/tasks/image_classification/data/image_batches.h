#pragma once
// Pixels of labelled images as a network takes them: varied to train on, and exactly as they are to measure.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "trainer/data/preprocessing.h"
#include "trainer/tasks/image_classification/data/augmentation.h"

namespace tune::trainer::image_classification {

// The images of some files, decoded once where memory allows, and batches of them. Owned by a training or an
// evaluation; read-only once made, so any thread may ask, several at once. Which bytes come out depends on
// the files, the settings, the seed, the example and the epoch alone, not on what is kept, on the batch or on
// the thread.
//
// With an augmentation an image is kept with the shorter side that Preprocessing::resize says (or `size`,
// where it stretches), its own where it has less, and a large JPEG is decoded at a fraction of its size
// (decode_smaller()); without one every pixel is decoded, and what the network sees of them is kept. Grey
// images are kept with one channel.
class ImageBatches {
 public:
  static constexpr std::uint64_t kKeptBytes = std::uint64_t{2} << 30;  // without another wish

  // Decodes with `threads` threads until `kept_bytes` are full; what does not fit is decoded whenever it is
  // asked for. Throws Error(kBadData) with up to 20 files that cannot be decoded.
  ImageBatches(std::vector<std::filesystem::path> files, const data::Preprocessing& preprocessing,
               std::optional<Augmentation> augmentation, std::uint64_t seed, int threads,
               std::uint64_t kept_bytes = kKeptBytes);
  ImageBatches(const ImageBatches&) = delete;
  ImageBatches& operator=(const ImageBatches&) = delete;

  // The examples (indices of the files) one after the other, size * size * 3 bytes each, rows from the top,
  // red, green, blue innermost: [B, size, size, 3]. Without an augmentation the epoch changes nothing. Works
  // with `threads` threads: 1 where several batches are made at once. No normalisation: that is the model's.
  // Throws Error(kBadData) for a file that was not kept and cannot be decoded.
  void fill(std::span<const std::int64_t> examples, std::int64_t epoch, std::uint8_t* to,
            int threads = 1) const;
  std::vector<std::uint8_t> pixels(std::span<const std::int64_t> examples, std::int64_t epoch,
                                   int threads = 1) const;

  int size() const { return preprocessing_.size; }  // pixels of each side
  std::int64_t count() const { return static_cast<std::int64_t>(files_.size()); }
  std::size_t bytes_per_image() const;
  std::int64_t kept() const { return kept_; }  // images that are in memory

 private:
  images::Image load(std::size_t index) const;
  void fill_one(std::size_t index, std::int64_t epoch, std::uint8_t* to) const;

  std::vector<std::filesystem::path> files_;
  data::Preprocessing preprocessing_;
  std::optional<Augmentation> augmentation_;
  std::uint64_t seed_;
  std::vector<images::Image> images_;  // without pixels: not kept
  std::int64_t kept_ = 0;
};

}  // namespace tune::trainer::image_classification

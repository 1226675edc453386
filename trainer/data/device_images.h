#pragma once
// Decoded images that lie where they are trained on, and views of them.
#include <memory>
#include <vector>

#include "trainer/data/augment.h"
#include "trainer/data/image_cache.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::data {

// Samples views of images on a device: a batch sends where to look, a few numbers for each row and column,
// instead of what is seen there. Read-only once made.
class DeviceImages {
 public:
  // nullptr where the images would take more than a quarter of what is free on the device (the rest is the
  // model's), or nobody knows what is free there.
  static std::unique_ptr<DeviceImages> of(const ImageCache& cache, const torch::Device& device);

  // What a batch shows.
  struct Views {
    torch::Tensor images;   // int64 [B], of the cache
    torch::Tensor samples;  // int32 [B, rows and columns, first and second and weight, size]
    torch::Tensor tones;    // uint8 [B, 256]
  };
  // `indices` are of the cache, with a sampling each. On the CPU.
  static Views views(const std::vector<std::int64_t>& indices, const std::vector<Sampling>& samplings);
  // Of views on the device: the same bytes as view_pixels() gives, uint8 [B, size, size, 3].
  torch::Tensor pixels(const Views& views) const;

 private:
  DeviceImages(const ImageCache& cache, std::int64_t channels, const torch::Device& device);

  torch::Tensor images_;  // uint8 [count, size, size, channels]
};

}  // namespace tune::trainer::data

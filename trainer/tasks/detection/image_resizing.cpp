#include "trainer/tasks/detection/image_resizing.h"

#include <algorithm>
#include <cstdlib>

#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

constexpr std::int64_t kMultiple = 32;  // of the deepest stride

std::int64_t rounded_up(int side) { return (side + kMultiple - 1) / kMultiple * kMultiple; }

torch::Tensor resized(const torch::Tensor& images, images::Size from, images::Size to) {
  const torch::Tensor part = images.narrow(2, 0, from.height).narrow(3, 0, from.width);
  if (from.width == to.width && from.height == to.height) return part;
  return torch::upsample_bilinear2d(part, at::IntArrayRef{to.height, to.width}, /*align_corners=*/false);
}

torch::Tensor padded(const torch::Tensor& images, std::int64_t height, std::int64_t width) {
  const std::int64_t below = height - images.size(2), right = width - images.size(3);
  return below == 0 && right == 0 ? images : torch::constant_pad_nd(images, {0, right, 0, below}, 0);
}

bool are_equal(images::Size a, images::Size b) { return a.width == b.width && a.height == b.height; }

}  // namespace

ResizedImages resize_images(const torch::Tensor& canvas, const std::vector<images::Size>& shown,
                            const data::Preprocessing& preprocessing) {
  TUNE_CHECK(static_cast<std::int64_t>(shown.size()) == canvas.size(0));
  ResizedImages result;
  std::int64_t height = 0, width = 0;
  bool are_alike = true;
  for (const images::Size& from : shown) {
    images::Size to = data::resized_within(from, preprocessing);
    if (std::abs(to.width - from.width) <= 1 && std::abs(to.height - from.height) <= 1) to = from;
    height = std::max(height, rounded_up(to.height));
    width = std::max(width, rounded_up(to.width));
    are_alike = are_alike && are_equal(from, shown.front());
    result.sizes.push_back(to);
  }
  if (are_alike) {
    result.pixels = padded(resized(canvas, shown.front(), result.sizes.front()), height, width);
  } else {
    std::vector<torch::Tensor> each;
    for (std::size_t i = 0; i < shown.size(); ++i)
      each.push_back(
          padded(resized(canvas.narrow(0, static_cast<std::int64_t>(i), 1), shown[i], result.sizes[i]),
                 height, width));
    result.pixels = torch::cat(each);
  }
  result.pixels = result.pixels.contiguous(at::MemoryFormat::ChannelsLast);
  return result;
}

}  // namespace tune::trainer::detection

#include "trainer/tasks/detection/data/batch_maker.h"

#include <algorithm>

#include "trainer/data/in_parallel.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"

namespace tune::trainer::detection {

namespace {

// A stream for each (epoch, index); epochs stay below 2^24 and sets below 2^40 images.
std::uint64_t stream_of(int epoch, std::size_t index) {
  return static_cast<std::uint64_t>(epoch) << 40 | static_cast<std::uint64_t>(index);
}

std::vector<GroundTruth> scaled(const Example& example, images::Size shown) {
  std::vector<GroundTruth> objects = example.objects;
  const float across = static_cast<float>(shown.width) / static_cast<float>(example.width);
  const float down = static_cast<float>(shown.height) / static_cast<float>(example.height);
  for (GroundTruth& object : objects) {
    object.x1 *= across, object.x2 *= across;
    object.y1 *= down, object.y2 *= down;
  }
  return objects;
}

constexpr double kWhole = 0.999;  // share of an object's area, for scaled edges are rounded

void mirror(double& low, double& high, int size) {
  const double old_low = low;
  low = size - high;
  high = size - old_low;
}

}  // namespace

std::vector<GroundTruth> view_objects(const data::View& view, std::span<const GroundTruth> objects,
                                      images::Size shown, double min_visible) {
  std::vector<GroundTruth> visible;
  const double across = shown.width / view.width, down = shown.height / view.height;
  for (const GroundTruth& object : objects) {
    double x1 = (object.x1 - view.x) * across, x2 = (object.x2 - view.x) * across;
    double y1 = (object.y1 - view.y) * down, y2 = (object.y2 - view.y) * down;
    const double whole = (x2 - x1) * (y2 - y1);
    x1 = std::max(x1, 0.0), x2 = std::min(x2, static_cast<double>(shown.width));
    y1 = std::max(y1, 0.0), y2 = std::min(y2, static_cast<double>(shown.height));
    if (x2 <= x1 || y2 <= y1) continue;
    const double share = (x2 - x1) * (y2 - y1) / whole;
    // What is small by itself is still to be learned; what a cut leaves of an object may show nothing of it.
    if (share < min_visible || (share < kWhole && (x2 - x1 < 1 || y2 - y1 < 1))) continue;
    if (view.mirrored) mirror(x1, x2, shown.width);
    if (view.upside_down) mirror(y1, y2, shown.height);
    GroundTruth seen = object;
    seen.x1 = static_cast<float>(x1), seen.y1 = static_cast<float>(y1);
    seen.x2 = static_cast<float>(x2), seen.y2 = static_cast<float>(y2);
    seen.area = (x2 - x1) * (y2 - y1);
    visible.push_back(seen);
  }
  return visible;
}

BatchMaker::BatchMaker(const Dataset& dataset, const data::ImageCache& cache,
                       const data::Augmentation& augmentation, std::uint64_t seed, int threads)
    : dataset_(dataset),
      cache_(cache),
      augmentation_(augmentation),
      seed_(seed),
      threads_(std::max(threads, 1)) {
  TUNE_CHECK(dataset.examples.size() == cache.count());
}

std::size_t BatchMaker::bytes_per_image() const {
  return static_cast<std::size_t>(size()) * static_cast<std::size_t>(size()) * 3;
}

void BatchMaker::fill(int epoch, std::span<const std::size_t> indices, std::uint8_t* nhwc,
                      std::vector<std::vector<GroundTruth>>& boxes) const {
  boxes.assign(indices.size(), {});
  for (const std::size_t index : indices) TUNE_CHECK(index < cache_.count());
  data::in_parallel(indices.size(), threads_, [&](std::size_t i) {
    fill_one(epoch, indices[i], nhwc + i * bytes_per_image(), boxes[i]);
  });
}

BatchMaker::Look BatchMaker::look(int epoch, std::size_t index) const {
  Rng rng(seed_, stream_of(epoch, index));
  const images::Size shown = cache_.shown(index);
  const std::vector<GroundTruth> objects = scaled(dataset_.examples[index], shown);
  const data::View view = data::draw_view(augmentation_, shown, rng, [&](const data::View& crop) {
    return objects.empty() || !view_objects(crop, objects, shown, augmentation_.min_visible).empty();
  });
  return {view, view_objects(view, objects, shown, augmentation_.min_visible)};
}

void BatchMaker::fill_one(int epoch, std::size_t index, std::uint8_t* to,
                          std::vector<GroundTruth>& boxes) const {
  Look seen = look(epoch, index);
  boxes = std::move(seen.objects);
  data::view_pixels(seen.view, cache_.pixels(index), cache_.channels(index), cache_.shown(index), size(),
                    cache_.mean(index), to);
}

}  // namespace tune::trainer::detection

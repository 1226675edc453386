#include "trainer/tasks/detection/data/batch_maker.h"

#include <algorithm>

#include "trainer/tasks/detection/data/augment.h"
#include "trainer/tasks/detection/data/in_parallel.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"

namespace tune::trainer::detection {

namespace {

// A stream for each (epoch, index); epochs stay below 2^24 and sets below 2^40 images.
std::uint64_t stream_of(int epoch, std::size_t index) {
  return static_cast<std::uint64_t>(epoch) << 40 | static_cast<std::uint64_t>(index);
}

std::vector<GroundTruth> scaled(const Example& example, int size) {
  std::vector<GroundTruth> objects = example.objects;
  const float across = static_cast<float>(size) / static_cast<float>(example.width);
  const float down = static_cast<float>(size) / static_cast<float>(example.height);
  for (GroundTruth& object : objects) {
    object.x1 *= across, object.x2 *= across;
    object.y1 *= down, object.y2 *= down;
  }
  return objects;
}

}  // namespace

BatchMaker::BatchMaker(const Dataset& dataset, const ImageCache& cache, const Augmentation& augmentation,
                       std::uint64_t seed, int threads)
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
  in_parallel(indices.size(), threads_,
              [&](std::size_t i) { fill_one(epoch, indices[i], nhwc + i * bytes_per_image(), boxes[i]); });
}

void BatchMaker::fill_one(int epoch, std::size_t index, std::uint8_t* to,
                          std::vector<GroundTruth>& boxes) const {
  Rng rng(seed_, stream_of(epoch, index));
  const std::vector<GroundTruth> objects = scaled(dataset_.examples[index], size());
  const View view = draw_view(augmentation_, objects, size(), rng);
  boxes = view_objects(view, objects, size(), augmentation_.min_visible);
  view_pixels(view, cache_.pixels(index), cache_.channels(index), size(), to);
}

}  // namespace tune::trainer::detection

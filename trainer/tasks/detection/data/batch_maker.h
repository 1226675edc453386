#pragma once
// Batches of images and boxes for training, augmented, and for validation, as they are.
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/data/augment.h"
#include "trainer/data/image_cache.h"
#include "trainer/tasks/detection/data/dataset.h"

namespace tune::trainer::detection {

// Fills batches from the cache: pixels to red, green, blue bytes, boxes along with them. Owns nothing but
// options; the data set and the cache must outlive it. fill() is const and may run on several threads at
// once. What an example looks like depends on (seed, epoch, index) alone, neither on the batch nor on the
// thread. No normalisation: that is the model's.
class BatchMaker {
 public:
  BatchMaker(const Dataset& dataset, const data::ImageCache& cache, const data::Augmentation& augmentation,
             std::uint64_t seed, int threads = 1);

  // `nhwc` takes indices.size() * size * size * 3 bytes: squares that show the images as the cache's do.
  // `boxes[i]` gets the objects of image i in pixels of its square (area recomputed in those pixels). Epochs
  // count from 1.
  void fill(int epoch, std::span<const std::size_t> indices, std::uint8_t* nhwc,
            std::vector<std::vector<GroundTruth>>& boxes) const;

  // What fill() shows of an image: the view, and the objects in it.
  struct Look {
    data::View view;
    std::vector<GroundTruth> objects;  // in pixels of the input
  };
  Look look(int epoch, std::size_t index) const;

  int size() const { return cache_.size(); }
  std::size_t bytes_per_image() const;

 private:
  void fill_one(int epoch, std::size_t index, std::uint8_t* to, std::vector<GroundTruth>& boxes) const;

  const Dataset& dataset_;
  const data::ImageCache& cache_;
  data::Augmentation augmentation_;
  std::uint64_t seed_;
  int threads_;
};

// The objects as the view shows them, in output pixels, clipped. An object of which a cut leaves less than
// min_visible, or less than a pixel, is left out. `objects` are in pixels of the source, of which `shown` is
// the image, and the output too.
std::vector<GroundTruth> view_objects(const data::View& view, std::span<const GroundTruth> objects,
                                      images::Size shown, double min_visible);

}  // namespace tune::trainer::detection

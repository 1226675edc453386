#pragma once
// Batches of images and boxes for training, augmented, and for validation, as they are.
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/tasks/detection/data/dataset.h"
#include "trainer/tasks/detection/data/image_cache.h"

namespace tune::trainer::detection {

// How training images are varied. All off: the images as they are, to validate and to predict.
struct Augmentation {
  double horizontal_flip = 0;  // probability
  double vertical_flip = 0;    // probability
  double brightness = 0;       // pixels are multiplied by a factor from [1 - brightness, 1 + brightness]
  double contrast = 0;         // distances from the image's mean likewise
  double zoom_crop = 0;        // probability of looking at a part of the image only
  double min_crop_area = 0.5;  // that part's smallest share of the image
  // An object of which less than this share is left by a crop is dropped; a crop that would leave an image
  // with objects none is drawn again.
  double min_visible = 0.3;

  // Flips, brightness and contrast by a fifth, zoom-crop half of the time: what trains well on steel
  // surfaces.
  static Augmentation for_training() { return {0.5, 0.5, 0.2, 0.2, 0.5, 0.5, 0.3}; }
};

// Fills batches from the cache: pixels to red, green, blue bytes, boxes along with them. Owns nothing but
// options; the data set and the cache must outlive it. fill() is const and may run on several threads at
// once. What an example looks like depends on (seed, epoch, index) alone, neither on the batch nor on the
// thread. No normalisation: that is the model's.
class BatchMaker {
 public:
  BatchMaker(const Dataset& dataset, const ImageCache& cache, const Augmentation& augmentation,
             std::uint64_t seed, int threads = 1);

  // `nhwc` takes indices.size() * size * size * 3 bytes. `boxes[i]` gets the objects of image i in pixels of
  // the size x size input (area recomputed in those pixels). Epochs count from 1.
  void fill(int epoch, std::span<const std::size_t> indices, std::uint8_t* nhwc,
            std::vector<std::vector<GroundTruth>>& boxes) const;

  int size() const { return cache_.size(); }
  std::size_t bytes_per_image() const;

 private:
  void fill_one(int epoch, std::size_t index, std::uint8_t* to, std::vector<GroundTruth>& boxes) const;

  const Dataset& dataset_;
  const ImageCache& cache_;
  Augmentation augmentation_;
  std::uint64_t seed_;
  int threads_;
};

}  // namespace tune::trainer::detection

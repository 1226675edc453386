#pragma once
// A data set that is ready to train on or to measure with.
#include "trainer/data/device_images.h"
#include "trainer/data/image_cache.h"
#include "trainer/data/preprocessing.h"
#include "trainer/loop/device.h"
#include "trainer/tasks/detection/data/batch_maker.h"
#include "trainer/tasks/detection/data/dataset.h"
#include "trainer/weights/safetensors.h"

namespace tune::trainer::detection {

// Decoded images with their objects. On an accelerator the images lie there too, where they fit, and are
// varied there; else batches of pixels are made on the CPU. Never moves, since its parts refer to each other.
// Read-only once made, from any thread.
class ImageSet {
 public:
  // Decodes with the threads of `compute`; add_pictures() works with `batch_threads`: 1 where several batches
  // are made at once.
  ImageSet(Dataset dataset, const data::Preprocessing& preprocessing, const data::Augmentation& augmentation,
           std::uint64_t seed, const loop::Compute& compute, int batch_threads);
  ImageSet(const ImageSet&) = delete;
  ImageSet& operator=(const ImageSet&) = delete;

  // Adds what pixels() and shown() take, on the CPU. Returns the objects of each image, in pixels of its
  // square.
  std::vector<std::vector<GroundTruth>> add_pictures(const std::vector<std::int64_t>& examples,
                                                     std::int64_t epoch, weights::TensorMap& tensors) const;
  // Of those tensors on the device: uint8 [B, size, size, 3].
  torch::Tensor pixels(const weights::TensorMap& tensors) const;
  // What of each square shows the image; empty where all do in whole.
  static std::vector<images::Size> shown(const weights::TensorMap& tensors);

  const Dataset& dataset() const { return dataset_; }
  std::int64_t count() const { return static_cast<std::int64_t>(dataset_.examples.size()); }
  bool on_device() const { return device_images_ != nullptr; }

 private:
  struct Frame {
    int size = 0;                     // of the squares
    std::vector<images::Size> shown;  // of each image in its square
  };
  static Frame frame_of(const Dataset& dataset, const data::Preprocessing& preprocessing);
  ImageSet(Dataset&& dataset, const Frame& frame, const data::Augmentation& augmentation, std::uint64_t seed,
           const loop::Compute& compute, int batch_threads);

  Dataset dataset_;
  data::ImageCache cache_;
  BatchMaker maker_;
  bool fills_ = true;                                  // each image its square
  std::unique_ptr<data::DeviceImages> device_images_;  // nullptr: they are not there
};

}  // namespace tune::trainer::detection

#pragma once
// A data set that is ready to train on or to measure with.
#include "trainer/data/image_cache.h"
#include "trainer/tasks/detection/data/batch_maker.h"
#include "trainer/tasks/detection/data/dataset.h"
#include "trainer/tasks/detection/default_boxes.h"
#include "trainer/tasks/detection/matching.h"
#include "trainer/tasks/detection/ssd_loss.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::detection {

// Decoded images with their objects. Never moves, since its parts refer to each other. Read-only once made,
// from any thread.
class ImageSet {
 public:
  // Decodes with `threads` threads; pictures() works with `batch_threads`: 1 where several batches are made
  // at once.
  ImageSet(Dataset dataset, int size, const data::Augmentation& augmentation, std::uint64_t seed, int threads,
           int batch_threads);
  ImageSet(const ImageSet&) = delete;
  ImageSet& operator=(const ImageSet&) = delete;

  struct Pictures {
    torch::Tensor pixels;                           // uint8 [B, size, size, 3] on the CPU
    std::vector<std::vector<GroundTruth>> objects;  // in pixels of the input
  };
  Pictures pictures(const std::vector<std::int64_t>& examples, std::int64_t epoch) const;
  const Dataset& dataset() const { return dataset_; }
  std::int64_t count() const { return static_cast<std::int64_t>(dataset_.examples.size()); }

 private:
  Dataset dataset_;
  data::ImageCache cache_;
  BatchMaker maker_;
};

// What each default box is to learn from the objects of its image, on the CPU. Crowd regions are no objects
// to learn.
Targets make_targets(const std::vector<std::vector<GroundTruth>>& objects, int size,
                     const std::vector<Box>& boxes, Matching matching = Matching::kBipartite);

}  // namespace tune::trainer::detection

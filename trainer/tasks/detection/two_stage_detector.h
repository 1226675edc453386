#pragma once
// A detector of two stages, from images of any shape to detections.
#include "trainer/tasks/detection/detector.h"
#include "trainer/tasks/detection/image_resizing.h"
#include "trainer/tasks/detection/two_stage_model.h"

namespace tune::trainer::detection {

// Objects in pixels of the images as they come: "objects" [B, M, 4] and "categories" [B, M], 0 where an image
// has fewer than M. Crowd regions are none.
class ObjectRows final : public ObjectTensors {
 public:
  explicit ObjectRows(std::size_t most_objects);
  void add(const std::vector<std::vector<GroundTruth>>& objects, weights::TensorMap& tensors) const override;

 private:
  std::int64_t rows_;
};

// Its steps differ from image to image (how many regions stay, how large the images are), so that no device
// repeats them.
class TwoStageDetector final : public Detector {
 public:
  TwoStageDetector(const DetectorModel& kind, int classes);

  std::unique_ptr<ObjectTensors> object_tensors(std::size_t most_objects,
                                                const loop::Compute& compute) const override;
  // The cross-entropies of both stages together, and both stages' distances.
  DetectorLosses losses(const DetectorInput& input, const weights::TensorMap& tensors,
                        const ObjectTensors& objects, const parallel::Team& team) override;
  bool may_be_repeated() const override { return false; }
  // With the losses of anchors and regions that are the same each time, not drawn.
  Answer answer(const DetectorInput& input, const DetectionLimits& limits, const loop::Compute& compute,
                const ObjectTensors* objects, const weights::TensorMap& tensors) override;

 private:
  // A batch up to the end of the first stage.
  struct Seen {
    ResizedImages images;
    std::vector<torch::Tensor> maps;
    AnchorScores scores;
    torch::Tensor anchors;
    Regions regions;
  };
  TwoStageDetector(TwoStageModel model, const DetectorModel& kind);
  Seen see(const DetectorInput& input, const ProposalRules::Counts& counts);
  DetectorLosses losses_of(const Seen& seen, const DetectorInput& input, const weights::TensorMap& tensors,
                           Draw draw, const parallel::Team& team);
  std::vector<std::vector<ScoredBox>> detections_in(const Seen& seen, const DetectionLimits& limits);

  const data::Preprocessing preprocessing_;
  const ProposalRules proposals_;
  const RegionHeadRules head_;
  TwoStageModel model_;
};

}  // namespace tune::trainer::detection

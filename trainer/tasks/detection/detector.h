#pragma once
// A detector as trainings and commands see it, whatever its network is.
#include <memory>
#include <optional>
#include <vector>

#include "trainer/loop/device.h"
#include "trainer/parallel/team.h"
#include "trainer/tasks/detection/data/dataset.h"
#include "trainer/tasks/detection/detections.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/weights/safetensors.h"

namespace tune::trainer::detection {

// What a batch of images shows.
struct DetectorInput {
  torch::Tensor images;             // normalised: float [B, 3, S, S]
  std::vector<images::Size> shown;  // of each image in its upper left; empty: they fill the square
};

struct DetectorLosses {
  torch::Tensor cross_entropy, smooth_l1;  // scalars, means over the batch
};

// How the objects of batches become tensors that a network learns from: TargetMaker for one of a single shot,
// ObjectRows for one of two stages. Read-only once made, from any thread.
class ObjectTensors {
 public:
  virtual ~ObjectTensors() = default;
  // `objects` are in pixels of the square. Adds tensors on the CPU.
  virtual void add(const std::vector<std::vector<GroundTruth>>& objects,
                   weights::TensorMap& tensors) const = 0;
};

// Owned by whoever trains or asks it, on one thread but for answer().
class Detector {
 public:
  virtual ~Detector() = default;
  virtual void to(const torch::Device& device) { network_->to(device); }

  torch::nn::Module& network() const { return *network_; }
  const std::shared_ptr<torch::nn::Module>& shared_network() const { return network_; }

  // For a data set whose images have at most so many objects.
  virtual std::unique_ptr<ObjectTensors> object_tensors(std::size_t most_objects,
                                                        const loop::Compute& compute) const = 0;
  // In training mode. `tensors` are those that `objects` added, on the device. Of a batch that `team` shares,
  // `input` is this process's part; the mean of all parts' losses by their images is that of the batch.
  virtual DetectorLosses losses(const DetectorInput& input, const weights::TensorMap& tensors,
                                const ObjectTensors& objects, const parallel::Team& team) = 0;
  // Whether a device may repeat what it did in losses(): see loop::Training::losses().
  virtual bool may_be_repeated() const = 0;

  struct Answer {
    std::vector<std::vector<ScoredBox>> found;  // of each image
    std::optional<DetectorLosses> losses;       // where `objects` were given
    double weight = 0;                          // what these count beside other batches'
  };
  // In evaluation mode, without gradients; several threads at once. Losses are asked for by giving `objects`
  // and their tensors.
  virtual Answer answer(const DetectorInput& input, const DetectionLimits& limits,
                        const loop::Compute& compute, const ObjectTensors* objects,
                        const weights::TensorMap& tensors) = 0;

 protected:
  explicit Detector(std::shared_ptr<torch::nn::Module> network) : network_(std::move(network)) {}

 private:
  std::shared_ptr<torch::nn::Module> network_;
};

// Weights are drawn from LibTorch's default generator.
std::unique_ptr<Detector> make_detector(const DetectorModel& kind, int classes);

// The most objects of an image of the set.
std::size_t most_objects(const Dataset& dataset);

}  // namespace tune::trainer::detection

#pragma once
// What one training takes of memory, storage and time, before it runs.
//
// What its parameters hold is counted by their shapes. What a step holds is counted in steps of small batches
// and carried on to the whole batch (tensor_memory.h): nothing is guessed by a formula of the network. Where
// the whole batch fits this machine, one step of it corrects the figures.
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "trainer/loop/device.h"
#include "trainer/loop/tensor_memory.h"
#include "trainer/loop/training.h"

namespace tune::trainer::loop {

// Bytes at the moment when one process of a trial holds the most, by what holds them. They add up to `total`.
struct MemoryParts {
  std::int64_t program = 0;      // the program and its libraries; on a GPU the device's context
  std::int64_t data = 0;         // of the training set, on the device
  std::int64_t weights = 0;      // trained or not, and an average of them
  std::int64_t gradients = 0;    // those of a CPU are there while a backward pass runs, and between batches
  std::int64_t optimizer = 0;    // its state
  std::int64_t activations = 0;  // what the forward pass leaves for the backward pass, and work in between
  std::int64_t logits = 0, cache = 0;  // Sizes (sized.h)
  std::int64_t unused = 0;             // held by the allocator, or by libraries for their work
  std::int64_t total = 0;
};

struct MemoryEstimate {
  MemoryParts parts;
  // The most in each part of a trial; `total` is the largest of them.
  std::int64_t starting = 0, training = 0, evaluating = 0, exporting = 0;
  std::int64_t bytes_per_example = 0;    // of a batch: by how much each more of them raises the total
  std::vector<std::int64_t> counted_at;  // examples in the batches whose steps were counted
  std::int64_t carried_on = 0;           // `training` as it was carried on from those
  std::optional<std::int64_t> measured;  // the same in a step of the whole batch; nullopt: none was made
};

struct TimeEstimate {
  std::int64_t batches = 0, steps = 0;  // of an epoch; of the optimizer, in all
  double epochs = 0;                    // that are trained; fewer than planned where max_steps ends them
  std::int64_t evaluations = 0;
  double start_seconds = 0;       // until the first step
  double epoch_seconds = 0;       // of training
  double validation_seconds = 0;  // of one
  double checkpoint_seconds = 0;  // of one
  double end_seconds = 0;         // exporting the best model
  double seconds = 0;             // all of it, to the last epoch
  // The least, where the training may stop early by itself; else the same.
  double least_seconds = 0;
  bool measures_validation = false;  // else it is taken from the training's speed
};

struct StorageEstimate {
  std::int64_t checkpoint_bytes = 0, checkpoints = 0;  // of one, and how many are kept at once
  std::int64_t exported_bytes = 0;
};

struct TrainingEstimate {
  std::int64_t parameters = 0, trained_parameters = 0, examples = 0, units_per_epoch = 0;
  std::int64_t batch_size = 0;  // of one process
  std::int64_t weight_bytes = 0, gradient_bytes = 0, optimizer_bytes = 0;
  MemoryEstimate memory;
  TimeEstimate time;
  StorageEstimate storage;
};

// Sizes of batches whose steps are counted for one of `batch_size`, ascending: the last one is that itself
// where it is small. The smallest that a step is made of is two, since a batch of one has no variance to
// normalise by, but for batches of one. `fits` says of how many examples a step fits the machine.
std::vector<std::int64_t> counted_batches(std::int64_t batch_size, std::int64_t fits);

struct EstimateRequest {
  const Compute& compute;
  TensorMemory& tensors;  // that has counted since before the training was made
  // That the process had before that, and the most while it was made; then forget_peak_memory() was called.
  std::int64_t program_bytes = 0, starting_bytes = 0;
  double start_seconds = 0;  // that making it took
  double seconds = 3;        // of steps that are timed; ten times as much for a validation
  std::uint64_t seed = 0;    // the trial's
  std::function<bool()> interrupted = [] { return false; };
};
// Trains `training` for some steps: its model is then spoilt. A checkpoint is written into a folder of its
// own that is removed again, for its time.
TrainingEstimate estimate(Training& training, const EstimateRequest& request);

}  // namespace tune::trainer::loop

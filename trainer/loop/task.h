#pragma once
// What a task gives the training loop: a model, batches, a loss, an evaluation, the lines that report it.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "trainer/loop/optimizer.h"
#include "trainer/loop/schedule.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::loop {

// The inputs and targets of one step. Each task has its own kind.
class Batch {
 public:
  virtual ~Batch() = default;
};

// One scalar per name of Task::loss_names(), whose sum is what training minimises. Tensors on the model's
// device.
using LossTerms = std::vector<torch::Tensor>;

using Metrics = std::map<std::string, double>;  // "validation:mAP" -> 0.41

struct EpochReport {
  std::int64_t epoch = 0;      // from 1
  std::vector<double> losses;  // means over the epoch's batches, in the order of Task::loss_names()
  Metrics metrics;             // of the evaluation, and the losses under their names
};

// How a recipe wants to be trained.
struct Plan {
  std::int64_t epochs = 1;
  std::int64_t batch_size = 1;
  std::int64_t accumulate = 1;  // batches per step of the optimizer
  OptimizerSettings optimizer;
  Schedule schedule;
};

// Owned by the command that trains, used by one training loop. All but prepare() run on the loop's thread.
class Task {
 public:
  virtual ~Task() = default;
  virtual const Plan& plan() const = 0;
  virtual torch::nn::Module& model() = 0;
  virtual std::int64_t training_examples() const = 0;
  virtual std::vector<std::string> loss_names() const = 0;    // as metrics are named
  virtual std::vector<std::string> metric_names() const = 0;  // of evaluate()
  // Reads and augments the examples. Depends on nothing but the arguments and the task's seed; any thread,
  // several at once.
  virtual std::unique_ptr<Batch> prepare(const std::vector<std::int64_t>& examples,
                                         std::int64_t epoch) const = 0;
  // Forward pass in training mode. The caller has chosen the precision.
  virtual LossTerms losses(const Batch& batch) = 0;
  // Measures the model on the validation set; returns early, with no metrics, once `interrupted` says so.
  virtual Metrics evaluate(const std::function<bool()>& interrupted) = 0;
  // What stdout shows of an epoch, one line each.
  virtual std::vector<std::string> metric_lines(const EpochReport& report) const = 0;
  // Writes the folder that is promoted, with the weights of the best epoch.
  virtual void export_model(const std::filesystem::path& folder, const weights::TensorMap& model,
                            const EpochReport& best) const = 0;
  // Anything that must not change between a checkpoint and its continuation; compared as text.
  virtual std::string fingerprint() const = 0;
};

}  // namespace tune::trainer::loop

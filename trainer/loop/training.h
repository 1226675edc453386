#pragma once
// What the training loop is given by a task: a model, batches, a loss, an evaluation, the lines that report
// it.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "trainer/loop/plan.h"
#include "trainer/loop/recipe.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::loop {

// The inputs and targets of one forward pass.
struct Batch {
  // Under names of the task's choosing. Batches whose tensors have the same shapes let a GPU record the step
  // once and repeat it.
  weights::TensorMap tensors;
  // What its mean losses count beside those of other batches: its images, its tokens. A batch of weight 0 has
  // nothing to learn from and is passed over.
  double weight = 1;
  std::int64_t units = 0;  // of the task's unit, for speeds; 0: as many as its examples
};

// One scalar per name of Recipe::loss_names, whose sum is what training minimises: means over the weight
// of the batch. Tensors on the model's device.
using LossTerms = std::vector<torch::Tensor>;

using Metrics = std::map<std::string, double>;  // "validation:mAP" -> 0.41

struct Report {
  std::int64_t epoch = 0;      // from 1
  std::vector<double> losses;  // means since the last report, in the order of Recipe::loss_names
  Metrics metrics;             // of the evaluation, and the losses under their names
  std::int64_t step = 0;       // of the optimizer, since the beginning
  // Of the step, for lines that say so; a report that was kept in a checkpoint has neither.
  double epochs_done = 0, learning_rate = 0;
};

// How lines about it begin: "[Epoch 3] ", or "[Epoch 3, step 120] " where evaluations come every few steps.
std::string line_head(const Report& report, bool by_steps);

// One training of one trial, on its data and with its hyperparameters. Owned by the command that trains, used
// by one training loop. All but prepare() run on the loop's thread.
class Training {
 public:
  virtual ~Training() = default;
  virtual const Recipe& recipe() const = 0;
  virtual const Plan& plan() const = 0;
  virtual torch::nn::Module& model() = 0;
  // How the model's parameters are optimized, each in one group; frozen ones (that need no gradient) in none.
  virtual std::vector<ParameterGroup> parameter_groups();
  // Puts the model into training mode for a step of the optimizer that begins at `epoch`, which is
  // fractional: 1.5 is the middle of the second epoch. Which parameters are trained may depend on that, and
  // on nothing else. True where they are others than in the step before: what a device has recorded no longer
  // holds then. Every parameter that is trained at some time needs a gradient until this is called first.
  virtual bool enter_step(double epoch);
  // The file or folder that frozen parameters came from, for a person to find it; "" where there is none.
  virtual std::string initial_weights() const { return ""; }
  virtual std::int64_t training_examples() const = 0;
  // The examples of each batch of an epoch, in their order. Depends on nothing but the arguments and the
  // task. By default a shuffle in batches of the plan's size; the last, incomplete one is left out (its few
  // examples would disturb batch normalisation, and each epoch leaves out others), unless it is the only one.
  virtual std::vector<std::vector<std::int64_t>> epoch_batches(std::int64_t epoch, std::uint64_t seed) const;
  // Reads and augments the examples, and leaves the tensors on the CPU. Depends on nothing but the arguments
  // and the task's seed; any thread, several at once.
  virtual Batch prepare(const std::vector<std::int64_t>& examples, std::int64_t epoch) const = 0;
  // Forward pass in training mode, of tensors that the loop has brought to the model's device. The caller has
  // chosen the precision. Where Compute::accelerated and is_repeatable(), it asks no tensor for a number and
  // depends on nothing that changes from step to step but the tensors and the model: a GPU may repeat what it
  // once did.
  virtual LossTerms losses(const weights::TensorMap& tensors) = 0;
  // Measures the model on the validation set: Recipe::metric_names, none where the recipe has none. Returns
  // early, with no metrics, once `interrupted` says so. The processes of a team divide the examples, and come
  // to the same numbers; they return early together.
  virtual Metrics evaluate(const std::function<bool()>& interrupted) = 0;
  // What stdout shows of an evaluation, one line each: by default one for all, which plain_metric() reads.
  virtual std::vector<std::string> metric_lines(const Report& report) const;
  // What stdout shows of the losses after each Plan::log_steps: by default a TUNE_METRIC line each, under its
  // name with "step:" in front, since the name itself belongs to the evaluations' lines.
  virtual std::vector<std::string> loss_lines(const Report& report) const;
  // Writes the folder that is promoted, with the weights of the best evaluation.
  virtual void export_model(const std::filesystem::path& folder, const weights::TensorMap& model,
                            const Report& best) const = 0;
  // Whether its steps are long enough for their precision to matter. Where they are not, fp32 is taken.
  virtual bool is_worth_a_probe() const { return true; }
  // Anything that must not change between a checkpoint and its continuation; compared as text.
  virtual std::string fingerprint() const = 0;
  // Whether steps are alike but for their tensors. Where what is computed depends on what was found, they are
  // not.
  virtual bool is_repeatable() const { return true; }
};

}  // namespace tune::trainer::loop

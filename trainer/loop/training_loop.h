#pragma once
// The one training loop, for every task.
#include <filesystem>
#include <functional>
#include <iosfwd>

#include "trainer/loop/checkpoint.h"
#include "trainer/loop/device.h"
#include "trainer/loop/progress_lines.h"
#include "trainer/loop/task.h"
#include "trainer/loop/trial_file.h"
#include "tuner/core/error.h"

namespace tune::trainer::loop {

struct LoopSettings {
  std::uint64_t seed = 0;
  double budget = 1;
  Objective objective;
  Compute compute;
  std::filesystem::path checkpoint_dir, output_dir;
  bool resume = false;
  std::function<bool()> interrupted = [] { return false; };
};

// Trains, evaluates after each epoch, prints the metric lines, keeps checkpoints, exports the best model.
// Owned by the command that trains, on its thread. Knows no task.
class TrainingLoop {
 public:
  // Metric lines go to `out`, progress and notes to `err`.
  TrainingLoop(Task& task, LoopSettings settings, std::ostream& out, std::ostream& err, bool err_is_terminal);

  // kOk when all epochs of the budget are done and the model is exported; kInterrupted when a checkpoint was
  // saved instead. Throws Error(kNonFiniteLoss) when a loss or metric is not finite; the last checkpoint is
  // then from before.
  ExitCode run();

 private:
  void start();
  void restore(const Checkpoint& checkpoint);
  bool train_epoch();  // false: interrupted
  void train_batch(const Batch& batch);
  bool evaluate_epoch();  // false: interrupted
  void check_finite(const EpochReport& report) const;
  void note_best(const EpochReport& report);
  void print(const EpochReport& report);
  void print_validation_time(std::int64_t epoch, double seconds);
  void save();
  void export_best();
  std::vector<double> read_loss_sums() const;  // throws Error(kNonFiniteLoss)

  Task& task_;
  LoopSettings settings_;
  std::ostream& out_;
  std::ostream& err_;
  ProgressLines lines_;
  CheckpointStore checkpoints_;
  Optimizer optimizer_;
  std::int64_t batches_;     // of an epoch
  std::int64_t last_epoch_;  // that the budget pays for
  Progress progress_;
  bool reported_ = false;    // by this process
  torch::Tensor loss_sums_;  // double [losses], on the device
  std::int64_t trained_batches_ = 0, trained_images_ = 0, batches_to_train_ = 0;  // by this process
};

}  // namespace tune::trainer::loop

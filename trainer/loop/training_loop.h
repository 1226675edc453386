#pragma once
// The one training loop, for every training.
#include <filesystem>
#include <functional>
#include <iosfwd>

#include "trainer/loop/checkpoint.h"
#include "trainer/loop/device.h"
#include "trainer/loop/device_graph.h"
#include "trainer/loop/passes.h"
#include "trainer/loop/progress_lines.h"
#include "trainer/loop/teamwork.h"
#include "trainer/loop/trained_part.h"
#include "trainer/loop/training.h"
#include "trainer/loop/trial_file.h"
#include "trainer/loop/weight_average.h"
#include "tuner/core/error.h"

namespace tune::trainer::loop {

struct LoopSettings {
  std::uint64_t seed = 0;
  std::string unit = "examples";  // of speeds
  double budget = 1;
  Objective objective;
  Compute compute;
  std::filesystem::path checkpoint_dir, output_dir;
  bool resume = false;
  std::function<bool()> interrupted = [] { return false; };
  // What the steps are recorded by, where the device has graphs. Those of a team are not recorded: its
  // processes talk to each other within them.
  std::function<std::unique_ptr<DeviceGraph>(const torch::Device&)> graph = device_graph;
};

// What a trial says, of a task whose examples are `unit`; it stops when a signal asks for that.
LoopSettings loop_settings(const TrialFile& trial, const std::string& unit, const Compute& compute);

// Trains, evaluates after each epoch or every few steps, prints the metric lines, keeps checkpoints, stops
// early, exports the best model. Owned by the command that trains, on its thread. Knows no training. Where a
// team shares each batch, all its processes hold the same model after each step, and the first alone writes
// checkpoints and exports.
class TrainingLoop {
 public:
  // Metric lines go to `out`, progress and notes to `err`.
  TrainingLoop(Training& training, LoopSettings settings, std::ostream& out, std::ostream& err,
               bool err_is_terminal);

  // kOk when all epochs of the budget are done, or early stopping ended them, and the model is exported;
  // kInterrupted when a checkpoint was saved instead. Throws Error(kNonFiniteLoss) when a loss or metric is
  // not finite; the last checkpoint is then from before.
  ExitCode run();

 private:
  ExitCode train();
  void start();
  void restore(const Checkpoint& checkpoint);
  bool done() const;
  bool stops_early() const;
  bool steps_are_done() const;  // those that the plan or the budget ends after
  void begin_epoch();
  void next_epoch();
  std::int64_t count_batches() const { return static_cast<std::int64_t>(batches_.size()); }
  bool train_epoch();                               // false: interrupted, as below
  double epoch_at(std::int64_t batch) const;        // of the epoch under way, as Schedule counts them
  bool train_step(const std::vector<Batch>& step);  // from where the step under way was interrupted
  bool after_step();  // what is due: lines of the log, an evaluation, a checkpoint, the next epoch
  bool evaluation_due() const;
  bool evaluate();
  Metrics measure();
  void log_losses();
  void note_place(Report& report) const;
  const parallel::Team& team() const { return *settings_.compute.team; }
  std::unique_ptr<DeviceGraph> new_graph() const;
  void join_team();
  void read_losses();  // from the device; throws Error(kNonFiniteLoss)
  std::vector<double> take_means(const LossSums& all, LossSums& own, std::int64_t row);  // which begin anew
  void check_finite(const Report& report) const;
  void note_best(const Report& report);
  void print(const Report& report);
  void print_validation_time(const Report& report, double seconds);
  Generators generators() const;
  void set_generators(const Generators& states) const;
  void save();
  void export_best();

  Training& training_;
  LoopSettings settings_;
  std::ostream& out_;
  std::ostream& err_;
  ProgressLines lines_;
  CheckpointStore checkpoints_;
  TrainedPart trained_;
  Optimizer optimizer_;
  WeightAverage average_;
  Passes passes_;
  Teamwork teamwork_;
  Schedule schedule_;
  std::int64_t last_epoch_;                         // that the budget pays for
  std::int64_t last_step_ = 0;                      // the same of Plan::max_steps; 0: epochs say it
  std::vector<std::vector<std::int64_t>> batches_;  // of the epoch under way
  Progress progress_;
  bool reported_ = false;                                                        // by this process
  std::int64_t trained_batches_ = 0, trained_units_ = 0, batches_to_train_ = 0;  // by this process
  double seconds_for_data_ = 0;                                                  // likewise
};

}  // namespace tune::trainer::loop

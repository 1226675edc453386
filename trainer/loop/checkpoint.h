#pragma once
// Checkpoints: folders that are complete or not there, each verified when it is read.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "trainer/loop/training.h"
#include "trainer/weights/safetensors.h"

namespace tune::trainer::loop {

// Weighted losses as they add up. Their mean is sums / weight.
struct LossSums {
  std::vector<double> sums;  // in the order of Recipe::loss_names
  double weight = 0;         // of the batches
};

// Where a run stands. Everything random is a function of (seed, epoch, example), so that no generator's state
// is needed to continue; LibTorch's own, which a task's layers may draw from, is kept all the same.
struct Progress {
  std::int64_t epoch = 1;            // the epoch under way, from 1
  std::int64_t batch = 0;            // batches of it that are done; all of them: its evaluation is missing
  std::int64_t step = 0;             // steps of the optimizer that are done, of all epochs
  LossSums reported, logged;         // since the last evaluation, and since the last line of the log
  std::optional<Report> last, best;  // the last evaluation, and the best by the objective
  std::int64_t without_gain = 0;     // evaluations in a row, for early stopping
  std::optional<double> to_surpass;  // the objective that the next one has to improve on, for the same
  std::vector<std::int64_t> best_checkpoint;  // {epoch, batch} of the checkpoint that holds the best model
};

// The weights that frozen parameters came from, which a checkpoint does not hold.
struct Base {
  std::string from;    // a file or folder; "" where they were drawn
  std::string sha256;  // of their content; "" where nothing is frozen
  bool operator==(const Base&) const = default;
};

// States of LibTorch's own random generators.
struct Generators {
  torch::Tensor cpu;
  torch::Tensor device;  // of the GPU that it trains on; undefined without one
};

struct Checkpoint {
  Progress progress;
  std::string fingerprint, precision;
  Base base;
  weights::TensorMap model;      // what is trained: see TrainedPart
  weights::TensorMap optimizer;  // with gradients, where a step's batches are done in part
  Generators generators;
};

// Owned by a training loop. The folder holds at-EPOCH-BATCH/{model.safetensors, optimizer.safetensors,
// state.json, manifest.json}; the manifest comes last and has the size and SHA-256 of the others, and the
// folder gets its name by a rename. So a killed writer leaves nothing that looks complete, and a file that a
// crash of the machine tore is found out. A folder that cannot be written or listed is an
// Error(kEnvironment). Files are written and read piece by piece, so that a large model is in memory once.
class CheckpointStore {
 public:
  explicit CheckpointStore(std::filesystem::path folder);

  // Removes every checkpoint: a run that starts anew must not be mistaken for the one before it.
  void clear();
  // Writes one, then removes all but the newest two and the best models that they name.
  void save(const Checkpoint& checkpoint);
  // The newest that is complete and intact, and so is the best model that it names: a run that goes on
  // without it would find that out at its end. nullopt when there is none. Each one that was passed over has
  // a sentence in `notes`. Throws Error(kConflict) for one of another version of this program.
  std::optional<Checkpoint> load_newest(std::vector<std::string>& notes) const;
  // The model of the best evaluation. Throws Error(kEnvironment) when it is gone or damaged.
  weights::TensorMap best_model(const Progress& progress) const;

 private:
  std::vector<std::filesystem::path> newest_first() const;
  // Throws Error(kBadData) when the best model that the checkpoint in `own` names is gone or damaged.
  void check_best(const Progress& progress, const std::filesystem::path& own) const;

  std::filesystem::path folder_;
};

}  // namespace tune::trainer::loop

#pragma once
// How a training runs, and the hyperparameters by which people say so.
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/loop/hyperparameters.h"
#include "trainer/loop/optimizer.h"
#include "trainer/loop/schedule.h"

namespace tune::trainer::loop {

// Ends a training whose objective no longer gets better.
struct EarlyStopping {
  std::int64_t patience = 0;     // so many evaluations in a row without an improvement; 0: never
  double threshold = 0;          // the least change for the better that is an improvement
  double relative = 0;           // the same as a part of what is to be improved on; added to the former
  std::int64_t first_epoch = 0;  // none stops before this one is done
};

// A moving average of the weights, which is what is evaluated and exported in their place.
struct Averaging {
  double decay = 0;        // of what was, at each update; 0: no average
  std::int64_t steps = 1;  // of the optimizer between two updates
  double asked = 0;        // the decay before it was scaled by the training's length, which may leave 0 of it
};

// How a recipe wants to be trained. Counts of steps are the optimizer's.
struct Plan {
  std::int64_t epochs = 1;
  std::int64_t max_steps = 0;  // ends after so many steps, however many epochs those are; 0: after the epochs
  std::int64_t batch_size = 1;
  std::int64_t accumulate = 1;        // batches per step of the optimizer
  std::int64_t evaluation_steps = 0;  // evaluates after so many steps, and at the end; 0: after each epoch
  std::int64_t log_steps = 0;         // prints the training losses after so many steps; 0: in reports alone
  std::int64_t checkpoint_steps = 0;  // a checkpoint after so many steps too; 0: after evaluations alone
  EarlyStopping early_stopping;
  Averaging averaging;
  OptimizerSettings optimizer;
  Schedule schedule;
  bool sync_batch_norm = false;  // where processes share a batch
};

// Rows that every task can have: all of the plan but the optimizer's kind, rate and numbers, with names as
// Hugging Face's Trainer has them where it has any. `unit` is the task's: "images".
std::vector<Hyperparameter> plan_hyperparameters(const std::string& unit);

// The plan that those rows give; the schedule's `base` and the rest of the optimizer are left to the caller.
// Throws Error(kBadSpec) where they contradict each other.
Plan make_plan(const Hyperparameters& values);

// The values by which checkpoints know their training: all but those of rows that earlier versions did not
// have, where these are left at what those versions did.
Json lasting_values(const Hyperparameters& values);

// "sgd", "adam", "adamw", "rmsprop", "adagrad" or "adadelta".
OptimizerKind optimizer_kind(const std::string& name);

}  // namespace tune::trainer::loop

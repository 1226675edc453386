#pragma once
// One trial from its file to the exported model: what `--trial` and `pretrain` share.
#include <iosfwd>
#include <optional>

#include "trainer/cli/commands.h"
#include "trainer/loop/task.h"

namespace tune::trainer::cli {

// What the task's hyperparameters ask for, else the trial, else what the checkpoint that it goes on from has;
// nullopt where a probe chooses. A precision that this CPU only imitates is said on `err`.
std::optional<loop::Precision> known_precision(const loop::Task& task, const loop::TrialFile& trial,
                                               const loop::Compute& compute, std::ostream& err);

// What one process of a trial computes with, as the only one of its team that there is: as much of each
// batch, on as many threads and on its GPU, but without the others.
loop::Compute compute_of(const loop::TrialFile& trial, int rank = 0, int gpu = 0);

// Sets `compute.precision` to what the trial asks for: "auto" is the one of the checkpoint that it goes on
// from, else the faster one by a short probe, which a line on `err` reports. Reads the data and builds the
// model.
std::unique_ptr<loop::Training> start_training(const loop::Task& task, const loop::TrialFile& trial,
                                               loop::Compute& compute, std::ostream& err);

// Starts likewise, and trains. Metric lines go to `out`. Returns what TrainingLoop::run() does.
ExitCode train(const loop::Task& task, const loop::TrialFile& trial, loop::Compute& compute,
               std::ostream& out, Console& console);

}  // namespace tune::trainer::cli

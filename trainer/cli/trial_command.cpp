// `tune-train --trial FILE`: one trial, as the orchestrator starts it.
#include <filesystem>
#include <ostream>

#include "trainer/cli/choose_precision.h"
#include "trainer/cli/commands.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/loop/training_loop.h"
#include "trainer/tasks/task_table.h"

namespace tune::trainer::cli {
namespace {

void check_resume(const loop::TrialFile& trial) {
  namespace fs = std::filesystem;
  if (trial.resume_from &&
      fs::weakly_canonical(*trial.resume_from) != fs::weakly_canonical(trial.checkpoint_dir))
    throw Error(ExitCode::kBadSpec, "resume_from is not checkpoint_dir",
                "a trial goes on from its own checkpoints");
}

}  // namespace

int run_trial(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "train")
                           .add({"trial", "FILE", "trial.json as `tune` writes it", true})
                           .json("")
                           .parse(arguments, console);
  if (!options) return 0;
  loop::catch_stop_signals();
  const loop::TrialFile trial = loop::read_trial_file(options->text("trial"));
  check_resume(trial);
  const loop::Task& task = task_of(trial);
  loop::Compute compute = loop::set_up_compute(trial.threads, !trial.devices.empty());
  const auto make = [&] { return task.start(trial, compute, console.err); };
  compute.precision =
      choose_precision(trial.precision, trial.resume_from, make, compute, task.unit, console.err);
  const std::unique_ptr<loop::Training> started = make();

  loop::LoopSettings settings;
  settings.seed = trial.seed;
  settings.unit = task.unit;
  settings.budget = trial.budget;
  settings.objective = trial.objective;
  settings.compute = compute;
  settings.checkpoint_dir = trial.checkpoint_dir;
  settings.output_dir = trial.output_dir;
  settings.resume = trial.resume_from.has_value();
  settings.interrupted = loop::stop_requested;
  loop::TrainingLoop training(*started, settings, console.out, console.err, console.err_is_terminal);
  return static_cast<int>(training.run());
}

}  // namespace tune::trainer::cli

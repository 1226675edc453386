// `tune-train --trial FILE`: one trial, as the orchestrator starts it.
#include <filesystem>
#include <ostream>

#include "trainer/cli/train.h"
#include "trainer/loop/stop_signal.h"
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
  return static_cast<int>(train(task, trial, compute, console.out, console));
}

}  // namespace tune::trainer::cli

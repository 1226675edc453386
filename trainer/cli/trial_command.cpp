// `tune-train --trial FILE`: one trial, as the orchestrator starts it.
#include <cstdlib>
#include <filesystem>
#include <ostream>

#include "trainer/cli/train.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/parallel/processes.h"
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

Error as_error(const std::exception& exception) {
  if (const auto* error = dynamic_cast<const Error*>(&exception)) return *error;
  return command_line().translate(exception).value_or(Error(ExitCode::kInternal, exception.what()));
}

// One of the processes that share the trial's batches. The first prints; all others are silent.
ExitCode train_as(const parallel::Membership& membership, loop::TrialFile trial, Console& console) {
  loop::catch_stop_signals();
  std::ostream nowhere(nullptr);
  Console quiet{nowhere, nowhere};
  Console& own = membership.rank == 0 ? console : quiet;
  trial.processes = membership.local_size;
  // Outlives what throws: it would wait for processes that are gone.
  std::shared_ptr<const parallel::Team> team;
  try {
    loop::Compute compute = compute_of(trial, membership.rank, membership.local_rank);
    team =
        std::make_shared<parallel::Team>(membership, compute.device, parallel::patience_from_environment());
    compute.team = team;
    return train(task_of(trial), trial, compute, own.out, own);
  } catch (const std::exception& exception) {
    const auto* lost = dynamic_cast<const parallel::PeerLost*>(&exception);
    const Error error = as_error(exception);
    if (!parallel::leave_word(membership, error, lost != nullptr)) throw;
    own.out.flush();
    std::_Exit(static_cast<int>(error.code()));
  }
}

}  // namespace

int run_trial(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "train")
                           .add({"trial", "FILE", "trial.json as `tune` writes it", true})
                           .json("")
                           .parse(arguments, console);
  if (!options) return 0;
  const loop::TrialFile trial = loop::read_trial_file(options->text("trial"));
  check_resume(trial);
  const auto membership = parallel::membership_from_environment();
  if (membership) return static_cast<int>(train_as(*membership, trial, console));
  const loop::Task& task = task_of(trial);
  if (trial.processes > 1 || trial.nodes > 1)
    return static_cast<int>(parallel::run_processes(trial.processes,
                                                    parallel::machines_from_environment(trial.nodes),
                                                    {"--trial", options->text("trial")}, console.err));
  loop::catch_stop_signals();
  loop::Compute compute = compute_of(trial);
  return static_cast<int>(train(task, trial, compute, console.out, console));
}

}  // namespace tune::trainer::cli

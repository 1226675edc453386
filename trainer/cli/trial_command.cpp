// `tune-train --trial FILE`: one trial, as the orchestrator starts it.
#include <filesystem>
#include <ostream>

#include "trainer/cli/commands.h"
#include "trainer/cli/options.h"
#include "trainer/loop/probe.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/loop/training_loop.h"
#include "trainer/tasks/task_table.h"

namespace tune::trainer::cli {
namespace {

constexpr double kProbeSeconds = 2;

// "auto" without an orchestrator that has probed: a short probe of our own, on a model that is then thrown
// away.
loop::Precision choose_precision(const loop::TrialFile& trial, const TaskEntry& entry,
                                 const loop::Compute& compute, std::ostream& err) {
  if (trial.precision != "auto")
    return trial.precision == "bf16" ? loop::Precision::kBf16 : loop::Precision::kFp32;
  // A run that goes on keeps the precision that it began with, whatever a new probe would say.
  if (trial.resume_from) {
    std::vector<std::string> notes;
    if (const auto checkpoint = loop::CheckpointStore(*trial.resume_from).load_newest(notes))
      return checkpoint->precision == "bf16" ? loop::Precision::kBf16 : loop::Precision::kFp32;
  }
  const std::unique_ptr<loop::Task> task = entry.make(trial, compute, err);
  const loop::ProbeResult result = loop::probe(*task, compute, kProbeSeconds, loop::stop_requested);
  err << "precision: " << loop::precision_name(result.precision) << ", by a short probe";
  for (const loop::ProbeCandidate& candidate : result.candidates)
    err << "; " << loop::precision_name(candidate.precision) << ' ' << candidate.images_per_second
        << " images/s";
  err << std::endl;
  return result.precision;
}

void check_resume(const loop::TrialFile& trial) {
  namespace fs = std::filesystem;
  if (trial.resume_from &&
      fs::weakly_canonical(*trial.resume_from) != fs::weakly_canonical(trial.checkpoint_dir))
    throw Error(ExitCode::kBadSpec, "resume_from is not checkpoint_dir",
                "a trial goes on from its own checkpoints");
}

}  // namespace

int run_trial(const std::vector<std::string>& arguments, Console& console) {
  boost::program_options::options_description options("options");
  options.add_options()("trial", boost::program_options::value<std::string>()->required()->value_name("FILE"),
                        "trial.json as `tune` writes it");
  const auto values = parse_options("--trial", options, arguments, console);
  if (!values) return 0;
  loop::catch_stop_signals();
  const loop::TrialFile trial = loop::read_trial_file((*values)["trial"].as<std::string>());
  check_resume(trial);
  const TaskEntry& entry = task_of(trial);
  loop::Compute compute = loop::set_up_compute(trial.threads, !trial.devices.empty());
  compute.precision = choose_precision(trial, entry, compute, console.err);
  const std::unique_ptr<loop::Task> task = entry.make(trial, compute, console.err);

  loop::LoopSettings settings;
  settings.seed = trial.seed;
  settings.budget = trial.budget;
  settings.objective = trial.objective;
  settings.compute = compute;
  settings.checkpoint_dir = trial.checkpoint_dir;
  settings.output_dir = trial.output_dir;
  settings.resume = trial.resume_from.has_value();
  settings.interrupted = loop::stop_requested;
  loop::TrainingLoop training(*task, settings, console.out, console.err, console.err_is_terminal);
  return static_cast<int>(training.run());
}

}  // namespace tune::trainer::cli

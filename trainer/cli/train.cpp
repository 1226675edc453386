#include "trainer/cli/train.h"

#include <algorithm>
#include <optional>
#include <ostream>

#include "trainer/loop/probe.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/loop/training_loop.h"

namespace tune::trainer::cli {
namespace {

constexpr double kProbeSeconds = 2;

std::optional<loop::Precision> asked_precision(const loop::Task& task, const loop::TrialFile& trial,
                                               const loop::Compute& compute) {
  if (task.precision != nullptr)
    if (const auto asked = task.precision(trial, compute)) return asked;
  if (trial.precision != "auto") return loop::precision_of(trial.precision);
  if (trial.resume_from) {
    std::vector<std::string> notes;
    if (const auto checkpoint = loop::CheckpointStore(*trial.resume_from).load_newest(notes))
      return loop::precision_of(checkpoint->precision);
  }
  return std::nullopt;
}

loop::Precision probed_precision(const loop::Task& task, loop::Training& training,
                                 const loop::Compute& compute, std::ostream& err) {
  const loop::ProbeResult result = loop::probe(training, compute, kProbeSeconds, loop::stop_requested);
  err << "precision: " << loop::precision_name(result.precision) << ", by a short probe";
  for (const loop::ProbeCandidate& candidate : result.candidates)
    err << "; " << loop::precision_name(candidate.precision) << ' ' << candidate.units_per_second << ' '
        << task.unit << "/s";
  err << std::endl;
  return result.precision;
}

loop::Precision chosen_by_first(loop::Precision own, const parallel::Team& team) {
  return static_cast<loop::Precision>(
      static_cast<int>(team.sums({team.is_first() ? static_cast<double>(own) : 0.0})[0]));
}

}  // namespace

std::optional<loop::Precision> known_precision(const loop::Task& task, const loop::TrialFile& trial,
                                               const loop::Compute& compute, std::ostream& err) {
  const auto asked = asked_precision(task, trial, compute);
  if (asked == loop::Precision::kBf16 && compute.device.is_cpu() && !loop::has_bf16_units())
    err << "warning: this CPU has no units for bf16, which is imitated with fp32's: slower than fp32, and "
           "rounded all the same"
        << std::endl;
  return asked;
}

loop::Compute compute_of(const loop::TrialFile& trial, int rank, int gpu) {
  loop::Compute compute =
      loop::set_up_compute(std::max(1, trial.threads / trial.processes), !trial.devices.empty(), gpu);
  if (const int size = trial.processes * trial.nodes; size > 1)
    compute.team = std::make_shared<parallel::Team>(rank, size);
  return compute;
}

std::unique_ptr<loop::Training> start_training(const loop::Task& task, const loop::TrialFile& trial,
                                               loop::Compute& compute, std::ostream& err) {
  const std::optional<loop::Precision> known = known_precision(task, trial, compute, err);
  compute.precision = known.value_or(loop::Precision::kFp32);
  if (known) return task.start(trial, compute, err);
  // A probe takes as many steps as there is time for, which others cannot take part in.
  const parallel::Team& team = *compute.team;
  loop::Compute by_itself = compute;
  if (team.is_linked()) by_itself.team = std::make_shared<parallel::Team>(team.rank(), team.size());
  std::unique_ptr<loop::Training> training = task.start(trial, by_itself, err);
  if (training->is_worth_a_probe())
    compute.precision = chosen_by_first(probed_precision(task, *training, by_itself, err), team);
  else if (!team.is_linked())
    return training;
  training.reset();  // the probe has spoilt it
  return task.start(trial, compute, err);
}

ExitCode train(const loop::Task& task, const loop::TrialFile& trial, loop::Compute& compute,
               std::ostream& out, Console& console) {
  const std::unique_ptr<loop::Training> training = start_training(task, trial, compute, console.err);
  return loop::TrainingLoop(*training, loop::loop_settings(trial, task.unit, compute), out, console.err,
                            console.err_is_terminal)
      .run();
}

}  // namespace tune::trainer::cli

#include "trainer/cli/train.h"

#include <ostream>

#include "trainer/loop/probe.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/loop/training_loop.h"

namespace tune::trainer::cli {
namespace {

constexpr double kProbeSeconds = 2;

loop::Precision choose_precision(const loop::Task& task, const loop::TrialFile& trial,
                                 const loop::Compute& compute, std::ostream& err) {
  if (trial.precision != "auto") return loop::precision_of(trial.precision);
  if (trial.resume_from) {
    std::vector<std::string> notes;
    if (const auto checkpoint = loop::CheckpointStore(*trial.resume_from).load_newest(notes))
      return loop::precision_of(checkpoint->precision);
  }
  const loop::ProbeResult result =
      loop::probe(*task.start(trial, compute, err), compute, kProbeSeconds, loop::stop_requested);
  err << "precision: " << loop::precision_name(result.precision) << ", by a short probe";
  for (const loop::ProbeCandidate& candidate : result.candidates)
    err << "; " << loop::precision_name(candidate.precision) << ' ' << candidate.units_per_second << ' '
        << task.unit << "/s";
  err << std::endl;
  return result.precision;
}

}  // namespace

ExitCode train(const loop::Task& task, const loop::TrialFile& trial, loop::Compute& compute,
               std::ostream& out, Console& console) {
  compute.precision = choose_precision(task, trial, compute, console.err);
  const std::unique_ptr<loop::Training> training = task.start(trial, compute, console.err);
  return loop::TrainingLoop(*training, loop::loop_settings(trial, task.unit, compute), out, console.err,
                            console.err_is_terminal)
      .run();
}

}  // namespace tune::trainer::cli

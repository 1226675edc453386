#include "trainer/cli/train.h"

#include <optional>
#include <ostream>

#include "trainer/loop/probe.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/loop/training_loop.h"

namespace tune::trainer::cli {
namespace {

constexpr double kProbeSeconds = 2;

// What the trial asks for, or what the checkpoint that it goes on from has.
std::optional<loop::Precision> known_precision(const loop::Task& task, const loop::TrialFile& trial,
                                               const loop::Compute& compute) {
  const auto asked = task.precision != nullptr ? task.precision(trial, compute) : std::nullopt;
  if (trial.precision != "auto") return loop::precision_of(trial.precision);
  if (asked) return asked;
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

}  // namespace

std::unique_ptr<loop::Training> start_training(const loop::Task& task, const loop::TrialFile& trial,
                                               loop::Compute& compute, std::ostream& err) {
  const std::optional<loop::Precision> known = known_precision(task, trial, compute);
  compute.precision = known.value_or(loop::Precision::kFp32);
  std::unique_ptr<loop::Training> training = task.start(trial, compute, err);
  if (known || !training->is_worth_a_probe()) return training;
  compute.precision = probed_precision(task, *training, compute, err);
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

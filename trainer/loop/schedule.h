#pragma once
// The learning rate over a run.
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/loop/hyperparameters.h"

namespace tune::trainer::loop {

enum class ScheduleKind { kConstant, kStep, kCosine, kLinear, kOneCycle };

struct Schedule {
  ScheduleKind kind = ScheduleKind::kConstant;
  double base = 0;           // the learning rate after the warm-up
  double warmup_epochs = 0;  // linear from 0
  // The same in steps of the optimizer, and as a part of all of them: within() makes epochs of them.
  double warmup_steps = 0, warmup_ratio = 0;
  std::vector<double>
      step_epochs;  // kStep: the rate is multiplied by `factor` when an epoch of these has been reached
  double factor = 0.1;
  double epochs = 1;  // of the whole schedule, whatever part of it a budget lets run

  // `epoch` is fractional: 1.5 is the middle of the second epoch. Cosine decays to 0 at `epochs` (Loshchilov
  // & Hutter, ICLR 2017, without restarts), and the warm-up multiplies whatever the schedule says. Linear
  // falls from the end of the warm-up to 0 at `epochs`, as Hugging Face's schedule of that name. One cycle
  // (Smith & Topin, 2018) rises over the first three tenths from a 25th of `base` to it, and falls to a
  // 250,000th, both as half a cosine: torch's OneCycleLR. It is its own warm-up.
  double rate(double epoch) const;

  // The schedule of a training whose epochs have so many steps of the optimizer, and which ends after
  // `max_steps` of them where that is not 0.
  Schedule within(double steps_per_epoch, std::int64_t max_steps) const;
};

// "33,67" as SageMaker's lr_scheduler_step writes it: ascending epochs, empty for none. Throws
// Error(kBadSpec).
std::vector<double> parse_step_epochs(const std::string& text);

// Rows for tasks whose schedule people choose: lr_scheduler, lr_scheduler_step, lr_scheduler_factor,
// warmup_epochs, warmup_steps and warmup_ratio.
std::vector<Hyperparameter> schedule_hyperparameters();
// The schedule of those, over the hyperparameter `epochs`; `base` is left to the caller. Throws
// Error(kBadSpec) where they contradict each other.
Schedule make_schedule(const Hyperparameters& values);

}  // namespace tune::trainer::loop

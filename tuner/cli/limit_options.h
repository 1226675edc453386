#pragma once
// Options of `run`, `resume` and `set`: how far a study goes, and on which GPUs. `compare` has the GPUs, too.
#include "tuner/cli/command_line/options.h"
#include "tuner/engine/study/study_opening.h"

namespace tune::cli {

// Limits in place of the spec's: --trials, --parallel, --time, --gpu-hours, --cost-usd, --target,
// --no-improvement,
// --convergence.
Options& declare_totals(Options& options);
Options& declare_limits(Options& options);  // those, and --gpus
engine::Overrides limit_overrides(const Parsed& options);
// --gpus: which GPUs this process and its trials may use; "none" for the CPU.
void choose_gpus(const Parsed& options);

}  // namespace tune::cli

#pragma once
// Options of `run`, `resume` and `set`: how far a study goes.
#include "tuner/cli/command_line/options.h"
#include "tuner/spec/limits.h"

namespace tune::cli {

// Limits in place of the spec's: --trials, --parallel, --time, --gpu-hours, --cost-usd, --target,
// --no-improvement, --convergence.
Options& declare_totals(Options& options);
Options& declare_limits(Options& options);  // those, and --gpus
Limits limits_given(const Parsed& options);

}  // namespace tune::cli

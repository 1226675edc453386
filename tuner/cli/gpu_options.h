#pragma once
// --gpus: which GPUs a command may use.
#include "tuner/cli/command_line/options.h"

namespace tune::cli {

Options& declare_gpus(Options& options);
// Chooses those of --gpus for this process and its trials; "none" for the CPU. Throws Error for one that is
// not there, or that is named twice.
void choose_gpus(const Parsed& options);

}  // namespace tune::cli

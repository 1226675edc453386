#pragma once
// `tune import optuna FILE`: a study of Optuna as an earlier one of the store.
#include "tuner/cli/command_line/options.h"

namespace tune::cli {

// Needs the options "FILE", "study" and "name" of `tune import`.
int import_optuna(const Parsed& options, Console& console);

}  // namespace tune::cli

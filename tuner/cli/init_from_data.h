#pragma once
// `tune init DATA`: a first spec for labelled images, as the built-in trainer advises after a look at them.
#include <string>

#include "tuner/cli/command_line/options.h"

namespace tune::cli {

// The options that are of `tune init DATA` alone. They are handed to `tune-train advise`.
void add_data_options(Options& options);
// Throws Error(kUsage) for such an option where a script is given in place of data.
void refuse_data_options(const Parsed& options);

// The exit code. `output` is a free file, or "" for stdout. What tune-train says against the data is thrown.
int init_from_data(const std::string& data, const std::string& output, const Parsed& options,
                   Console& console);

}  // namespace tune::cli

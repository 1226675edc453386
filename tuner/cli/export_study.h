#pragma once
// `tune export STUDY --format csv|json|optuna|tensorboard`.
#include <string>

#include "tuner/cli/command_line/options.h"

namespace tune::cli {

// Whether it is one of the formats of studies.
bool is_study_format(const std::string& format);

// Writes the study to --output; the text of csv and json to stdout without one. Throws Error(kNotFound) for a
// study that is not there, Error(kUsage) for a format that needs a name, Error(kConflict) where something of
// that name is there, Error(kEnvironment) for what the disk refuses. Needs the option "output".
int export_study(const Parsed& options, const std::string& study, const std::string& format,
                 Console& console);

}  // namespace tune::cli

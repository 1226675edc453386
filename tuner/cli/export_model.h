#pragma once
// `tune export MODEL[@V] --format dir|tar.gz`: a version of a model leaves the registry.
#include <string>

#include "tuner/cli/command_line/options.h"

namespace tune::cli {

// Whether a version of a model, not a study, is exported in that format: dir, tar.gz.
bool is_model_format(const std::string& format);
// Writes to --output, and says what. Returns the exit code.
int export_model(const Parsed& options, const std::string& model, const std::string& format,
                 Console& console);

}  // namespace tune::cli

#pragma once
// `tune --spec FILE --dry-run`: what would be started, with nothing started and nothing written.
#include <filesystem>

#include "tuner/cli/command_line/command_line.h"
#include "tuner/engine/loop/study_opening.h"

namespace tune::cli {

int dry_run(const Spec& spec, const std::filesystem::path& store, const engine::Overrides& overrides,
            bool as_json, Console& console);

}  // namespace tune::cli

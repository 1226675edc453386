#pragma once
// The choice between the displays of a running study.
#include <memory>

#include "tuner/cli/command_line/command_line.h"
#include "tuner/cli/study_progress.h"
#include "tuner/engine/loop/status.h"

namespace tune::cli {

// Whether that console's `err` is drawn on again and again; else it gets lines.
bool is_drawn_live(const Console& console);

// The display that suits the console: JSON lines on `out` when asked for; else on `err`, live on a terminal,
// plain otherwise. `progress` is what is known before the first event.
std::unique_ptr<engine::Status> make_status_display(Console& console, bool as_json, StudyProgress progress);

}  // namespace tune::cli

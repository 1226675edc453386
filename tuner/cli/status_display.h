#pragma once
// The choice between the displays of a running study.
#include <memory>
#include <vector>

#include "store/study_store.h"
#include "tuner/cli/command_line/command_line.h"
#include "tuner/core/clock.h"
#include "tuner/engine/loop/status.h"

namespace tune::cli {

// The display that suits the console: JSON lines on `out` when asked for; else on `err`, live on a terminal,
// plain otherwise. `study` and `trials` are what the store holds before the run; `clock` must outlive the
// display.
std::unique_ptr<engine::Status> make_status_display(Console& console, bool as_json,
                                                    const store::StudyRow& study,
                                                    const std::vector<store::TrialRow>& trials,
                                                    const Clock& clock);

}  // namespace tune::cli

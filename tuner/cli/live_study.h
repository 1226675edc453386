#pragma once
// Studies at this moment: whether some `tune` works on one, and its rows in that light.
#include <filesystem>
#include <string>

#include "tuner/report/numbers/study_rows.h"

namespace tune::cli {

// True while a process holds a flock on the file. Only looks (/proc/locks): taking the lock to find out would
// make a `tune` that starts at this moment believe in another one.
bool is_locked(const std::filesystem::path& file);

// A study's rows as they are now: running attempts with their time so far, and a study whose `tune` was
// killed "interrupted", whatever it could still write about itself.
report::StudyRows read_live_study(const std::filesystem::path& store, const std::string& study);

}  // namespace tune::cli

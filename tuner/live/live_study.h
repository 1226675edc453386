#pragma once
// A study's rows in the light of whether some `tune` works on it at this moment.
#include <filesystem>
#include <string>

#include "tuner/report/numbers/study_rows.h"

namespace tune::live {

// What is said of a study that no `tune` works on, though none has said that it ended.
std::string how_to_go_on(const store::StudyRow& study, const std::string& name);

// Where the store's models stand; nothing where their registry cannot be read: what is wrong with it is for
// `tune models` and `tune doctor` to say, and keeps nobody from a study.
std::vector<report::Deployment> known_deployments(const std::filesystem::path& store);

// A study's rows as they are now: running attempts with their time so far, and a study whose `tune` was
// killed "interrupted", whatever it could still write about itself.
report::StudyRows read_live_study(const std::filesystem::path& store, const std::string& study);

}  // namespace tune::live

#pragma once
// Studies whose trials another program begins and ends, through `tune ask-tell`: what that program does in
// place of a command.
#include <filesystem>
#include <string>

namespace tune::engine {

// Whether the study in this folder is one. False where its database cannot be read.
bool is_asked_study(const std::filesystem::path& study_folder);

// What its program does for what the command ("stop", "enqueue", "set", ...) asks, of the trial where `trial`
// is not 0: the cure of a refusal.
std::string cure_in_session(const std::string& command, int trial = 0);

}  // namespace tune::engine

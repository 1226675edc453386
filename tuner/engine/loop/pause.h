#pragma once
// What a person is told when a study pauses.
#include <filesystem>
#include <string>
#include <vector>

#include "tuner/engine/loop/poison_guard.h"

namespace tune::engine {

struct Pause {
  std::string hint;                  // the cure
  std::vector<std::string> log_end;  // lines that the logs of the trials in question end with
  int trial = 0, attempt = 0;        // one of them; 0 where the pause is about none
};

// Of a set-up that looks broken.
Pause pause_of(const PoisonGuard::Verdict& verdict, const std::filesystem::path& study_folder,
               const std::string& study);

}  // namespace tune::engine

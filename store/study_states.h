#pragma once
// Where a study and an attempt stand, and what ended a study: the words of a study's database.
#include <optional>
#include <string>

namespace tune::store {

// kInterrupted: by a person, by a fault, by a death; the same command goes on.
enum class StudyState { kRunning, kInterrupted, kFinished };
const char* to_string(StudyState state);
StudyState study_state_from_string(const std::string& text);  // throws std::invalid_argument

// kLost: it ended, and nothing tells how.
enum class AttemptState { kStarting, kRunning, kExited, kLost };
const char* to_string(AttemptState state);
AttemptState attempt_state_from_string(const std::string& text);  // throws std::invalid_argument
bool is_live(AttemptState state);                                 // starting or running

// Why a study is finished.
enum class StudyEnd {
  kTrialLimit,
  kTimeLimit,
  kDeviceTimeLimit,
  kCostLimit,
  kSpaceExhausted,
  kTarget,
  kNoImprovement,
  kConvergence
};
const char* to_string(StudyEnd end);
// What a finish_reason stands for; nullopt for the sentences of studies that are not finished.
std::optional<StudyEnd> study_end_in(const std::string& finish_reason);

}  // namespace tune::store

#include "store/study_states.h"

#include "tuner/core/enum_text.h"

namespace tune::store {
namespace {

constexpr EnumTexts<StudyState, 3> kStudyStates{{{StudyState::kRunning, "running"},
                                                 {StudyState::kInterrupted, "interrupted"},
                                                 {StudyState::kFinished, "finished"}}};
constexpr EnumTexts<AttemptState, 4> kAttemptStates{{{AttemptState::kStarting, "starting"},
                                                     {AttemptState::kRunning, "running"},
                                                     {AttemptState::kExited, "exited"},
                                                     {AttemptState::kLost, "lost"}}};
constexpr EnumTexts<StudyEnd, 8> kStudyEnds{{{StudyEnd::kTrialLimit, "trial limit"},
                                             {StudyEnd::kTimeLimit, "time limit"},
                                             {StudyEnd::kDeviceTimeLimit, "device time limit"},
                                             {StudyEnd::kCostLimit, "cost limit"},
                                             {StudyEnd::kSpaceExhausted, "space exhausted"},
                                             {StudyEnd::kTarget, "target reached"},
                                             {StudyEnd::kNoImprovement, "no improvement"},
                                             {StudyEnd::kConvergence, "converged"}}};

}  // namespace

const char* to_string(StudyState state) { return text_of(kStudyStates, state); }
StudyState study_state_from_string(const std::string& text) {
  return value_of(kStudyStates, text, "state of a study");
}

const char* to_string(AttemptState state) { return text_of(kAttemptStates, state); }
AttemptState attempt_state_from_string(const std::string& text) {
  return value_of(kAttemptStates, text, "state of an attempt");
}
bool is_live(AttemptState state) {
  return state == AttemptState::kStarting || state == AttemptState::kRunning;
}

const char* to_string(StudyEnd end) { return text_of(kStudyEnds, end); }
std::optional<StudyEnd> study_end_in(const std::string& finish_reason) {
  return find_text(kStudyEnds, finish_reason);
}

}  // namespace tune::store

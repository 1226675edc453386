#pragma once
// The words that the displays share.
#include <map>
#include <string>

#include "tuner/cli/study_progress.h"

namespace tune::cli {

// What the events of a study are in words: each line says what has changed, so what was said before is
// remembered. Owned by a display, used on the loop's thread.
class EventWords {
 public:
  // The line that an event is worth, without its time; "" for none. `before`: what was known before it.
  std::string line(const engine::StatusEvent& event, const StudyProgress& before);

 private:
  std::string suggested(const engine::StatusEvent& event);
  std::string started(const engine::StatusEvent& event, const StudyProgress& before);
  std::string requeued(const engine::StatusEvent& event, const StudyProgress& before);

  std::string choice_;                     // of a strategy that takes another's points, as said last
  std::map<int, std::string> suggestion_;  // of trials that were not started yet, in few words
  std::map<int, std::string> run_again_;   // why trials that wait for their next attempt do
};

// "GPU-1a2b3c4d,GPU-5e6f7a8b": enough of the UUIDs to tell the devices of a machine apart; "" for none.
std::string short_devices(const std::vector<std::string>& devices);
// In whole seconds, since milliseconds would only flicker: "0s", "3m 20s".
std::string whole_seconds(SteadyTime::duration duration);
// "4/8 done (1 stopped), 2 running, about 5m left | best 0.4125 (trial 1) | 3m 20s": what may be cut off at
// the end of a narrow terminal comes last.
std::string totals_line(const StudyProgress& progress);

}  // namespace tune::cli

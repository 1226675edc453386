#pragma once
// What files and pipes get while a study runs.
#include <iosfwd>
#include <string>

#include "tuner/cli/event_words.h"
#include "tuner/engine/loop/status.h"

namespace tune::cli {

// A line for each change of state, and one of totals at most every 30 seconds. Owned by the command that
// runs the study, on the loop's thread; it never reads the store.
class PlainStatus final : public engine::Status {
 public:
  PlainStatus(std::ostream& out, StudyProgress progress);
  void on_event(const engine::StatusEvent& event) override;
  void on_tick(SteadyTime now) override;

 private:
  void print(const std::string& line);

  std::ostream& out_;
  StudyProgress progress_;
  EventWords words_;
  SteadyTime last_print_;
  bool changed_ = false;  // since the last line of totals
};

}  // namespace tune::cli

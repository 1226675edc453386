#pragma once
// What a person sees on a terminal while a study runs.
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "tuner/cli/event_words.h"
#include "tuner/engine/loop/status.h"

namespace tune::cli {

struct TerminalSize {
  int columns = 80, rows = 24;
};
// Asked anew for every frame, so that a resized window is noticed.
using TerminalSizeFunction = std::function<TerminalSize()>;

// One area rewritten in place, at most four times a second: a line for each running trial, a line of
// totals; what has happened scrolls above it. Owned by the command that runs the study, on the loop's
// thread; it never reads the store.
class TerminalStatus final : public engine::Status {
 public:
  TerminalStatus(std::ostream& out, StudyProgress progress, TerminalSizeFunction size, bool color);
  ~TerminalStatus() override;  // takes the live area away and leaves the lines above it
  void on_event(const engine::StatusEvent& event) override;
  void on_tick(SteadyTime now) override;

 private:
  std::vector<std::string> frame(const TerminalSize& size) const;
  std::string erased() const;  // the sequence that puts the cursor on the first line of the last frame
  void draw(bool live);

  std::ostream& out_;
  StudyProgress progress_;
  EventWords words_;
  TerminalSizeFunction size_;
  bool color_;
  std::vector<std::string> pending_;  // lines to scroll above the area
  std::vector<std::size_t> drawn_;    // widths of the last frame's lines
  SteadyTime last_draw_{};
};

}  // namespace tune::cli

#pragma once
// What a person or a program sees while a study runs. All displays are owned by the command that runs it, are
// used on the loop's thread, and never read the store.
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "tuner/cli/command_line/command_line.h"
#include "tuner/cli/status_text.h"
#include "tuner/engine/loop/status.h"

namespace tune::cli {

struct TerminalSize {
  int columns = 80, rows = 24;
};
// Asked anew for every frame, so that a resized window is noticed.
using TerminalSizeFunction = std::function<TerminalSize()>;

// One area rewritten in place, at most four times a second: a line for each running trial, a line of totals;
// what has happened scrolls above it.
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
  StatusText text_;
  TerminalSizeFunction size_;
  bool color_;
  std::vector<std::string> pending_;  // lines to scroll above the area
  std::vector<std::size_t> drawn_;    // widths of the last frame's lines
  SteadyTime last_draw_{};
};

// A line for each change of state, and one of totals at most every 30 seconds. For files and pipes.
class PlainStatus final : public engine::Status {
 public:
  PlainStatus(std::ostream& out, StudyProgress progress);
  void on_event(const engine::StatusEvent& event) override;
  void on_tick(SteadyTime now) override;

 private:
  void print(const std::string& line);

  std::ostream& out_;
  StudyProgress progress_;
  StatusText text_;
  SteadyTime last_print_;
  bool changed_ = false;  // since the last line of totals
};

// A JSON object a line for every event, metrics included.
class JsonStatus final : public engine::Status {
 public:
  explicit JsonStatus(std::ostream& out) : out_(out) {}
  void on_event(const engine::StatusEvent& event) override;

 private:
  std::ostream& out_;
};

// The display that suits the console: JSON lines on `out` when asked for; else on `err`, live on a terminal,
// plain otherwise. `study` and `trials` are what the store holds before the run; `clock` must outlive the
// display.
std::unique_ptr<engine::Status> make_status_display(Console& console, bool as_json,
                                                    const store::StudyRow& study,
                                                    const std::vector<store::TrialRow>& trials,
                                                    const Clock& clock);

}  // namespace tune::cli

#pragma once
// Cuts what a program prints into lines, as a person reads them on a terminal.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tune {

inline constexpr std::size_t kLineLimit = 64 * 1024;  // bytes; the rest of a longer line is cut

// A line ends at "\n", "\r\n", a lone "\r" (progress bars), a vertical tab, a form feed, NEL, LS and PS, and
// where a control sequence moves elsewhere. Other control sequences (colours, titles, links) and control
// characters but the tab are taken out; after a backspace what comes next takes the place of what stood
// there. A sequence that the line does not finish is text. Bytes may come in pieces of any size. Empty lines
// are passed over. At most kLineLimit bytes of a line are kept, and lines over that are counted; memory is
// bounded by a few times that. One for each stream of bytes, owned and fed by whoever reads that stream, on
// one thread; the lines that it hands out are valid until its next call.
class LineSplitter {
 public:
  // What a reader who is shown the lines wants beside what is matched: the colours (SGR sequences of digits,
  // semicolons and colons), at their places, and the empty lines that "\n" ends.
  struct Keep {
    bool colors = false, empty_lines = false;
  };
  LineSplitter() = default;
  explicit LineSplitter(Keep keep) : keep_(keep) {}

  template <typename OnLine>  // OnLine(std::string_view)
  void feed(std::string_view bytes, OnLine&& on_line);
  template <typename OnLine>
  void finish(OnLine&& on_line);  // the unterminated last line, if any
  std::uint64_t cut_lines() const { return cut_lines_; }

 private:
  enum class State { kText, kEscape, kIntermediate, kSequence, kString, kStringEscape };

  std::size_t take(std::string_view bytes);
  bool take_byte(char byte);
  void take_text(char byte);
  bool take_in_sequence(char byte);
  bool take_in_string(char byte);
  void take_c1(unsigned char code);
  void act(char final_byte);
  void give_string_back();
  void write(std::string_view text);
  void put(char byte);
  void step_back();
  void join();
  void put_colors();
  void end_line(char by);
  void start_line();
  bool is_shown() const { return !line_.empty() || (keep_.empty_lines && ended_by_ == '\n'); }

  Keep keep_;
  State state_ = State::kText;
  std::string line_;    // up to the cursor
  std::string behind_;  // what a backspace went back over, backwards
  std::string held_;    // of a string sequence, whose end may be missing
  int number_ = 0;      // the first parameter of a control sequence
  bool in_first_number_ = true;
  std::string sequence_;  // where colours are kept: the control sequence so far
  std::vector<std::pair<std::size_t, std::string>> colors_;  // where in the line, and which
  char ended_by_ = '\0';  // the last line; '\0' where that was none, or no single character
  bool is_complete_ = false;
  bool overflowed_ = false;
  std::uint64_t cut_lines_ = 0;
};

template <typename OnLine>
void LineSplitter::feed(std::string_view bytes, OnLine&& on_line) {
  while (!bytes.empty()) {
    bytes.remove_prefix(take(bytes));
    if (!is_complete_) continue;
    join();
    if (is_shown()) on_line(std::string_view(line_));
    start_line();
  }
}

template <typename OnLine>
void LineSplitter::finish(OnLine&& on_line) {
  if (state_ == State::kString || state_ == State::kStringEscape) give_string_back();
  state_ = State::kText;
  join();
  if (!line_.empty()) on_line(std::string_view(line_));
  start_line();
}

}  // namespace tune

#pragma once
// Makes what a program printed harmless for the terminal that shows it.
#include <string>
#include <string_view>

namespace tune::cli {

// A log may hold sequences that move the cursor, set the title or the clipboard, or type answers: they are
// shown as text
// ("^[]0;..."). Only SGR colours pass, and only if asked for; otherwise they are dropped. A lone carriage
// return becomes a line break, bytes that are not UTF-8 become U+FFFD. Sequences and characters may be split
// over calls.
class EscapeFilter {
 public:
  explicit EscapeFilter(bool keep_colors) : keep_colors_(keep_colors) {}
  std::string filter(std::string_view bytes);
  // What is left of a split sequence at the end of the output.
  std::string finish();

 private:
  std::size_t take(std::string_view rest, bool last, std::string& out);
  std::string process(bool last);

  bool keep_colors_;
  std::string held_;  // an unfinished sequence: a few bytes
};

}  // namespace tune::cli

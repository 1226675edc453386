#include "tuner/import/python_regex.h"

#include <algorithm>
#include <array>

#include "tuner/core/characters.h"

namespace tune::amt {
namespace {

bool is_hexadecimal(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Reads one regex from left to right. Lives for one call of from_python.
class PythonRegexReader {
 public:
  explicit PythonRegexReader(std::string_view regex) : rest_(regex) {}

  Re2Regex read() {
    while (!rest_.empty() && result_.objection.empty()) {
      if (rest_[0] == '\\')
        read_escape();
      else if (in_brackets_)
        read_bracketed();
      else if (rest_[0] == '[')
        open_brackets();
      else if (rest_.starts_with("(?"))
        read_extension();
      else if (rest_[0] == '(' || rest_[0] == ')')
        read_parenthesis();
      else if (rest_.starts_with("{,"))
        read_open_repetition();
      else
        copy(1);
    }
    if (result_.objection.empty()) look_at_group();
    return result_;
  }

 private:
  void copy(std::size_t count) { replace(count, std::string(rest_.substr(0, count))); }
  void replace(std::size_t count, const std::string& text) {
    result_.regex += text;
    rest_.remove_prefix(std::min(count, rest_.size()));
  }
  void refuse(std::string objection, std::string cure) {
    result_.objection = std::move(objection);
    result_.cure = std::move(cure);
  }

  void read_escape() {
    const char kind = rest_.size() > 1 ? rest_[1] : '\0';
    const std::size_t digits = kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    const std::string_view code = rest_.substr(std::min<std::size_t>(2, rest_.size()), digits);
    if (digits > 0 && code.size() == digits && std::all_of(code.begin(), code.end(), is_hexadecimal))
      replace(2 + digits, "\\x{" + std::string(code) + "}");
    else if (kind == 'Z' && !in_brackets_)
      replace(2, "\\z");
    else
      copy(2);
  }

  void open_brackets() {
    in_brackets_ = true;
    std::size_t opening = rest_.starts_with("[^") ? 2 : 1;
    if (rest_.substr(opening).starts_with("]")) ++opening;  // a first "]" stands for itself
    copy(opening);
  }
  void read_bracketed() {
    in_brackets_ = rest_[0] != ']';
    copy(1);
  }

  void read_parenthesis() {
    if (rest_[0] == '(') {
      open(true);
      copy(1);
      content_begin(result_.regex.size());
    } else {
      close();
      copy(1);
    }
  }

  // Which of the open groups captures is what matters: the first that does gives the value.
  void open(bool captures) {
    ++depth_;
    if (captures && group_depth_ == 0) group_depth_ = depth_;
  }
  void content_begin(std::size_t place) {
    if (group_depth_ == depth_ && begin_ == std::string::npos) begin_ = place;
  }
  void close() {
    if (group_depth_ == depth_ && end_ == std::string::npos && depth_ > 0) end_ = result_.regex.size();
    --depth_;
  }

  void read_extension() {
    if (rest_.starts_with("(?#")) {
      const std::size_t end = rest_.find(')');
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    } else if (rest_.starts_with("(?P=") || rest_.starts_with("(?(")) {
      refuse("a group that depends on an earlier one cannot be matched in linear time",
             "write the text twice");
    } else if (rest_.starts_with("(?=") || rest_.starts_with("(?!") || rest_.starts_with("(?<=") ||
               rest_.starts_with("(?<!") || rest_.starts_with("(?>")) {
      refuse("look-around and atomic groups cannot be matched in linear time", rewrite());
    } else if (rest_.starts_with("(?P<")) {
      open(true);
      copy(std::min(rest_.find('>'), rest_.size() - 1) + 1);
      content_begin(result_.regex.size());
    } else {
      read_flags();
    }
  }

  // "(?i)", "(?i:" and "(?:". Python's a, L and u say which letters there are, which RE2 does not ask.
  void read_flags() {
    const std::size_t end = rest_.find_first_of(":)");
    if (end == std::string_view::npos) return copy(rest_.size());
    std::string flags(rest_.substr(2, end - 2));
    if (flags.substr(0, flags.find('-')).find('x') != std::string::npos)
      return refuse("the flag x, which passes over blanks in the regex, is not there in RE2",
                    "write the regex without it, and without its blanks and comments");
    std::erase_if(flags, [](char c) { return c == 'a' || c == 'L' || c == 'u'; });
    if (rest_[end] == ':') {
      open(false);
      replace(end + 1, "(?" + flags + ":");
    } else {
      replace(end + 1, flags.empty() ? "" : "(?" + flags + ")");
    }
  }

  // "{,3}" is up to three in Python, and itself in RE2.
  void read_open_repetition() {
    std::size_t end = 2;
    while (end < rest_.size() && is_digit(rest_[end])) ++end;
    const bool is_repetition = end > 2 && end < rest_.size() && rest_[end] == '}';
    if (is_repetition)
      replace(2, "{0,");
    else
      copy(2);
  }

  // The same regex where the text before the number is written as it stands: "(?<=loss: )(\S+)" is
  // "loss: (\S+)".
  std::string rewrite() const {
    const std::string general =
        "write the text around the number as it stands, and only the number in parentheses";
    const std::size_t end = rest_.find(')');
    if (!rest_.starts_with("(?<=") || end == std::string_view::npos) return general + ": \"loss: (\\\\S+)\"";
    const std::string before(rest_.substr(4, end - 4)), behind(rest_.substr(end + 1));
    if (before.find_first_of("(|") != std::string::npos || behind.find("(?") != std::string::npos)
      return general + ": \"loss: (\\\\S+)\"";
    const std::string group = behind.find('(') != std::string::npos ? behind : "(" + behind + ")";
    return general + ": " + result_.regex + before + group;
  }

  void look_at_group() {
    if (begin_ == std::string::npos || end_ == std::string::npos) return;
    const std::string group = result_.regex.substr(begin_, end_ - begin_);
    const std::string before = result_.regex.substr(0, begin_), behind = result_.regex.substr(end_ + 1);
    if (behind.empty() && (group.ends_with("*?") || group.ends_with("??") || group.ends_with("+?")))
      return refuse(group.ends_with("+?")
                        ? "its group takes one character alone: a lazy repetition at the end stops at once"
                        : "its group is always empty: a lazy repetition at the end takes nothing",
                    "write " + before + "\\S+)");
    constexpr std::array kUnsigned{"[0-9.]+",         "[0-9\\.]+",     "[\\d.]+",         "[\\d\\.]+",
                                   "\\d+\\.\\d+",     "[0-9]+.[0-9]+", "[0-9]+\\.[0-9]+", "\\d+.\\d+",
                                   "[0-9]*\\.[0-9]+", "\\d*\\.\\d+",   "[.0-9]+",         "[0-9.]*"};
    if (std::find(kUnsigned.begin(), kUnsigned.end(), group) == kUnsigned.end()) return;
    result_.warning = "its group reads no sign and no exponent, as in -0.5 and 1e-05";
    result_.hint = "write " + before + "\\S+)" + behind + " where the number may have them";
  }

  std::string_view rest_;
  Re2Regex result_;
  bool in_brackets_ = false;
  int depth_ = 0, group_depth_ = 0;
  std::size_t begin_ = std::string::npos, end_ = std::string::npos;  // of the first group's content
};

}  // namespace

Re2Regex from_python(std::string_view regex) { return PythonRegexReader(regex).read(); }

}  // namespace tune::amt

#include "tuner/core/line_splitter.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tuner/core/characters.h"

namespace tune {
namespace {

constexpr char kEsc = '\x1b';
constexpr std::size_t kLongestColor = 64;  // bytes; a longer parameter list is no colour that anybody writes
constexpr std::size_t kMostColors = 4096;  // of a line
constexpr int kMostSteps = 1 << 20;        // of a cursor that goes back; a line has fewer

unsigned char code_of(char byte) { return static_cast<unsigned char>(byte); }
bool ends_line(char byte) { return byte == '\n' || byte == '\r' || byte == '\v' || byte == '\f'; }

// Bytes that are not simply text. Among those that continue a UTF-8 character, the C1 controls and the last
// bytes of U+2028 and U+2029 have to be looked at.
constexpr std::array<bool, 256> special_bytes() {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0; byte < 0x20; ++byte) table[byte] = byte != '\t';
  table[0x7F] = true;
  for (std::size_t byte = 0x80; byte < 0xA0; ++byte) table[byte] = true;
  table[0xA8] = table[0xA9] = true;
  return table;
}
constexpr std::array<bool, 256> kSpecial = special_bytes();

// Whether the text ends within a UTF-8 character.
bool is_within_code_point(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const char byte = text[text.size() - back];
    if (continues_character(byte)) continue;
    const unsigned char lead = code_of(byte);
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    return back < length;
  }
  return false;
}

}  // namespace

std::size_t LineSplitter::take(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && !is_complete_) {
    if (state_ == State::kText) {
      const std::size_t begin = at;
      while (at < bytes.size() && !kSpecial[code_of(bytes[at])]) ++at;
      write(bytes.substr(begin, at - begin));
      if (at == bytes.size()) break;
    }
    // What a sequence does not take is looked at again, as text.
    if (take_byte(bytes[at])) ++at;
  }
  return at;
}

bool LineSplitter::take_byte(char byte) {
  switch (state_) {
    case State::kText:
      take_text(byte);
      return true;
    case State::kString:
    case State::kStringEscape:
      return take_in_string(byte);
    default:
      return take_in_sequence(byte);
  }
}

void LineSplitter::take_text(char byte) {
  const unsigned char code = code_of(byte);
  if (ends_line(byte)) {
    // A carriage return at the start of a line ends none, nor does the line feed of "\r\n".
    const bool is_empty = line_.empty() && behind_.empty();
    const bool ends_none = is_empty && (byte == '\r' || (byte == '\n' && ended_by_ == '\r'));
    end_line(ends_none ? '\0' : byte);
  } else if (byte == kEsc) {
    state_ = State::kEscape;
  } else if (byte == '\b') {
    step_back();
  } else if ((code == 0xA8 || code == 0xA9) && line_.ends_with("\xE2\x80")) {
    line_.resize(line_.size() - 2);
    end_line('\0');
  } else if (code >= 0x80 && code < 0xA0 && line_.ends_with('\xC2')) {
    line_.pop_back();
    take_c1(code);
  } else if (code == 0x9B && !is_within_code_point(line_)) {
    take_c1(code);
  } else if ((code >= 0x20 && code != 0x7F) || byte == '\t') {
    put(byte);
  }
}

void LineSplitter::take_c1(unsigned char code) {
  constexpr std::string_view kStrings = "\x90\x98\x9D\x9E\x9F";
  if (code == 0x85) end_line('\0');
  if (code == 0x9B) {
    state_ = State::kSequence;
    number_ = 0, in_first_number_ = true;
    sequence_.clear();
  }
  if (kStrings.find(static_cast<char>(code)) != std::string_view::npos) state_ = State::kString;
}

// ECMA-48: parameters, intermediates, a final byte.
bool LineSplitter::take_in_sequence(char byte) {
  constexpr std::string_view kStrings = "]PX^_";
  const unsigned char code = code_of(byte);
  if (state_ == State::kEscape && byte == '[') {
    state_ = State::kSequence;
    number_ = 0, in_first_number_ = true;
    sequence_.clear();
    return true;
  }
  if (state_ == State::kEscape && kStrings.find(byte) != std::string_view::npos) {
    state_ = State::kString;
    return true;
  }
  if (code >= 0x20 && code < 0x30) {
    if (state_ == State::kEscape) state_ = State::kIntermediate;
    return true;
  }
  if (state_ == State::kSequence && code >= 0x30 && code < 0x40) {
    in_first_number_ = in_first_number_ && byte >= '0' && byte <= '9';
    if (in_first_number_) number_ = std::min(kMostSteps, number_ * 10 + (byte - '0'));
    if (keep_.colors && sequence_.size() < kLongestColor) sequence_ += byte;
    return true;
  }
  const bool is_sequence = state_ == State::kSequence;
  state_ = State::kText;
  if (code < 0x20 || code >= 0x7F) return false;
  if (is_sequence) act(byte);
  return true;
}

void LineSplitter::act(char final_byte) {
  constexpr std::string_view kElsewhere = "ABEFGHdf";
  if (final_byte == 'm' && keep_.colors && sequence_.size() < kLongestColor && colors_.size() < kMostColors &&
      sequence_.find_first_not_of("0123456789;:") == std::string::npos)
    colors_.emplace_back(line_.size(), "\x1b[" + sequence_ + 'm');
  if (kElsewhere.find(final_byte) != std::string_view::npos) end_line('\0');
  if (final_byte == 'D')
    for (int i = std::max(1, number_); i > 0 && !line_.empty(); --i) step_back();
  if (final_byte == 'C') put(' ');
  // What stands before the cursor stays: it was printed, whatever becomes of it on the screen.
  if ((final_byte == 'K' || final_byte == 'J') && number_ == 0) behind_.clear();
}

bool LineSplitter::take_in_string(char byte) {
  const unsigned char code = code_of(byte);
  if (state_ == State::kStringEscape && byte == '\\') {
    held_.clear();
    state_ = State::kText;
  } else if (state_ == State::kStringEscape) {
    give_string_back();
    state_ = State::kEscape;
    return false;
  } else if (byte == kEsc) {
    state_ = State::kStringEscape;
  } else if (byte == '\a') {
    held_.clear();
    state_ = State::kText;
  } else if (code == 0x9C && held_.ends_with('\xC2')) {
    held_.clear();
    state_ = State::kText;
  } else if (ends_line(byte)) {
    give_string_back();
    state_ = State::kText;
    return false;
  } else if (held_.size() < kLineLimit && ((code >= 0x20 && code != 0x7F) || byte == '\t')) {
    held_ += byte;
  }
  return true;
}

// It had no end, so it was none.
void LineSplitter::give_string_back() {
  const std::string text = std::exchange(held_, {});
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_c1 = text[i] == '\xC2' && i + 1 < text.size() && code_of(text[i + 1]) < 0xA0;
    if (is_c1)
      ++i;
    else
      put(text[i]);
  }
}

void LineSplitter::write(std::string_view text) {
  if (!behind_.empty() || line_.size() + text.size() > kLineLimit) {
    for (const char byte : text) put(byte);
  } else {
    line_.append(text);
  }
}

void LineSplitter::put(char byte) {
  if (!behind_.empty() && !continues_character(byte)) {
    behind_.pop_back();
    while (!behind_.empty() && continues_character(behind_.back())) behind_.pop_back();
  }
  if (line_.size() + behind_.size() < kLineLimit) {
    line_ += byte;
  } else if (!overflowed_) {
    overflowed_ = true;
    ++cut_lines_;
  }
}

void LineSplitter::step_back() {
  bool is_lead = line_.empty();
  while (!is_lead && !line_.empty()) {
    is_lead = !continues_character(line_.back());
    behind_ += line_.back();
    line_.pop_back();
  }
}

void LineSplitter::join() {
  line_.append(behind_.rbegin(), behind_.rend());
  behind_.clear();
  if (!colors_.empty() && !line_.empty()) put_colors();
}

void LineSplitter::end_line(char by) {
  is_complete_ = true;
  ended_by_ = by;
}

// A colour stands before the character that was written next, or where that was. Those of an empty line are
// the next one's.
void LineSplitter::put_colors() {
  std::string colored;
  std::size_t taken = 0;
  std::stable_sort(colors_.begin(), colors_.end(),
                   [](const auto& one, const auto& other) { return one.first < other.first; });
  for (const auto& [place, color] : colors_) {
    std::size_t end = std::clamp(place, taken, line_.size());
    while (end < line_.size() && continues_character(line_[end])) ++end;
    colored.append(line_, taken, end - taken).append(color);
    taken = end;
  }
  line_ = colored.append(line_, taken);
  colors_.clear();
}

void LineSplitter::start_line() {
  line_.clear();
  overflowed_ = false;
  is_complete_ = false;
}

}  // namespace tune

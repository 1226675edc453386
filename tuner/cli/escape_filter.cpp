#include "tuner/cli/escape_filter.h"

#include <algorithm>

#include "tuner/core/characters.h"

namespace tune::cli {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::size_t kLongestSgr = 64;  // bytes; a longer parameter list is no colour that anybody writes

unsigned char byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

// The length that the first byte of a UTF-8 sequence announces; 0 for a byte that starts none.
std::size_t announced_length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  if (first >= 0xF0 && first < 0xF5) return 4;
  return 0;
}

std::string caret(unsigned char control) { return {'^', static_cast<char>(control ^ 0x40u)}; }

// The length of an SGR sequence "ESC [ digits and ; m" at the start; 0 when there is none; npos when more
// bytes decide.
std::size_t sgr_length(std::string_view rest) {
  if (rest.size() == 1) return std::string_view::npos;
  if (rest[1] != '[') return 0;
  for (std::size_t i = 2; i < std::min(rest.size(), kLongestSgr); ++i) {
    if (rest[i] == 'm') return i + 1;
    const bool parameter = (rest[i] >= '0' && rest[i] <= '9') || rest[i] == ';' || rest[i] == ':';
    if (!parameter) return 0;
  }
  return rest.size() < kLongestSgr ? std::string_view::npos : 0;
}

}  // namespace

// Takes one character or sequence off the front of `rest`; 0 when it is not complete yet.
std::size_t EscapeFilter::take(std::string_view rest, bool last, std::string& out) {
  const unsigned char first = byte_at(rest, 0);
  if (first == '\r') {
    if (rest.size() == 1 && !last) return 0;
    out += '\n';
    return rest.size() > 1 && rest[1] == '\n' ? 2 : 1;
  }
  if (first == 0x1B) {
    const std::size_t length = sgr_length(rest);
    if (length == std::string_view::npos && !last) return 0;
    if (length == 0 || length == std::string_view::npos) {
      out += caret(first);
      return 1;
    }
    if (keep_colors_) out += rest.substr(0, length);
    return length;
  }
  const std::size_t length = announced_length(first);
  if (length == 1) {
    const bool control = (first < 0x20 && first != '\n' && first != '\t') || first == 0x7F;
    out += control ? caret(first) : std::string(1, rest[0]);
    return 1;
  }
  std::size_t good = 1;
  while (good < std::min(length, rest.size()) && continues_character(rest[good])) ++good;
  if (length > 0 && good == rest.size() && good < length && !last) return 0;
  const bool c1 = first == 0xC2 && good == 2 && byte_at(rest, 1) < 0xA0;
  if (good != length || c1) {
    out += kReplacement;
    return good;
  }
  out += rest.substr(0, length);
  return length;
}

std::string EscapeFilter::process(bool last) {
  std::string out;
  std::size_t at = 0;
  while (at < held_.size()) {
    const std::size_t taken = take(std::string_view(held_).substr(at), last, out);
    if (taken == 0) break;
    at += taken;
  }
  held_.erase(0, at);
  return out;
}

std::string EscapeFilter::filter(std::string_view bytes) {
  held_ += bytes;
  return process(false);
}

std::string EscapeFilter::finish() { return process(true); }

}  // namespace tune::cli

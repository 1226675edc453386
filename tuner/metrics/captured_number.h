#pragma once
// A number that a regex has captured, and the line around it. Internal to reading metric lines.
#include <algorithm>
#include <array>
#include <string_view>

#include "tuner/core/characters.h"
#include "tuner/metrics/number_reach.h"

namespace tune::metrics {

// Spaces and an apostrophe that people put between thousands: U+00A0, U+2007, U+2009, U+202F, U+2019.
inline constexpr std::array<std::string_view, 6> kThousandsMarks{
    "'", "\xC2\xA0", "\xE2\x80\x87", "\xE2\x80\x89", "\xE2\x80\xAF", "\xE2\x80\x99"};
inline constexpr std::string_view kMinus = "\xE2\x88\x92";   // U+2212
inline constexpr std::string_view kEnDash = "\xE2\x80\x93";  // U+2013
inline constexpr std::array<std::string_view, 4> kExponentSigns{"-", "+", kMinus, kEnDash};
// Blanks that keep a number and its unit in one line: U+00A0, U+2009, U+202F.
inline constexpr std::array<std::string_view, 3> kWideBlanks{"\xC2\xA0", "\xE2\x80\x89", "\xE2\x80\xAF"};

inline bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Looks at characters before and behind the number; beyond either end of the line is a line feed. A value,
// which lives as long as its line. What it makes of them is for begin_of_number() and reach_of() to say.
class CapturedNumber {
 public:
  // `captured` is a part of `line`; `match_end` is where the regex's match ends in it.
  CapturedNumber(std::string_view line, std::string_view captured, std::size_t match_end, NumberIs is)
      : line_(line),
        begin_(static_cast<std::size_t>(captured.data() - line.data())),
        end_(begin_ + captured.size()),
        match_end_(match_end),
        is_step_(is == NumberIs::kStep) {
    while (begin_ < end_ && is_blank(line_[begin_])) ++begin_;
  }

 protected:
  char at(std::size_t place) const { return place < line_.size() ? line_[place] : '\n'; }
  bool is_digit_at(std::size_t place) const { return is_digit(at(place)); }
  std::string_view from(std::size_t place) const { return line_.substr(std::min(place, line_.size())); }

  std::size_t behind_digits(std::size_t place) const {
    while (is_digit_at(place)) ++place;
    return place;
  }

  // Behind an exponent that starts at `place`, also Fortran's "D-05", Julia's "f-5" and C's "e -4"; `place`
  // where there is none.
  std::size_t behind_exponent(std::size_t place) const {
    if (kExponentLetters.find(at(place)) == std::string_view::npos) return place;
    const bool is_e = at(place) == 'e' || at(place) == 'E';
    const std::size_t sign = place + (is_e && at(place + 1) == ' ' ? 2 : 1);
    const std::size_t digits = behind_one_of(kExponentSigns, sign);
    const bool needs_sign = sign > place + 1 || at(place) == 'f';
    return is_digit_at(digits) && (digits > sign || !needs_sign) ? behind_digits(digits) : place;
  }

  std::string_view captured() const { return line_.substr(begin_, end_ - begin_); }
  bool has_point(std::size_t end) const {
    return line_.substr(begin_, end - begin_).find('.') != std::string_view::npos;
  }
  std::size_t before_digits(std::size_t place) const {
    while (place > 0 && is_digit(line_[place - 1])) --place;
    return place;
  }
  char before(std::size_t place) const { return place > 0 ? line_[place - 1] : '\n'; }
  bool three_digits_at(std::size_t place) const {
    return is_digit_at(place) && is_digit_at(place + 1) && is_digit_at(place + 2) && !is_digit_at(place + 3);
  }

  std::size_t behind_blanks(std::size_t place) const {
    for (;;) {
      if (is_blank(at(place)))
        ++place;
      else if (const std::size_t end = behind_one_of(kWideBlanks, place); end > place)
        place = end;
      else
        return place;
    }
  }

  template <std::size_t n>
  std::size_t behind_one_of(const std::array<std::string_view, n>& signs, std::size_t place) const {
    const auto sign = std::find_if(signs.begin(), signs.end(),
                                   [&](std::string_view each) { return from(place).starts_with(each); });
    return sign == signs.end() ? place : place + sign->size();
  }

  static constexpr std::string_view kExponentLetters = "eEdDf";

  std::string_view line_;
  std::size_t begin_, end_, match_end_;
  bool is_step_;
};

}  // namespace tune::metrics

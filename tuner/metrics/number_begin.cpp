#include "tuner/metrics/number_begin.h"

#include <string>

#include "tuner/core/characters.h"

namespace tune::metrics {
namespace {

// What is counted and not measured: a number behind one of these is a column of its own, as in
// "epoch: 1 923.456" and "step 100,123.5".
constexpr auto kCounters = std::to_array<std::string_view>(
    {"epoch", "step", "iter", "iteration", "batch", "round", "it", "trial", "fold"});

// Follows a number backwards.
class NumberBegin : public CapturedNumber {
 public:
  explicit NumberBegin(const CapturedNumber& number) : CapturedNumber(number) {}

  std::size_t find() const {
    if (begin_ == end_) return begin_;
    if (const std::size_t mantissa = before_exponent(begin_); mantissa < begin_) return before_sign(mantissa);
    if (!is_digit(line_[begin_]) && line_[begin_] != '.') return begin_;
    const std::size_t digits = before_digits(begin_);
    for (const std::size_t place :
         {before_exponent(digits), before_hexadecimal(digits), before_point(digits), before_groups(digits)})
      if (place < digits) return before_sign(place);
    return before_sign(digits);
  }

 private:
  // No part of a name, a version or another number.
  bool starts_number(std::size_t place) const {
    const char last = before(place);
    return !is_letter(last) && !is_digit(last) && last != '_' && last != '.';
  }
  bool is_digits() const { return captured().find_first_not_of("0123456789") == std::string_view::npos; }

  // Before the minus of a number. A hyphen joins words (epoch-3), dates and ranges; a sign stands apart.
  std::size_t before_sign(std::size_t place) const {
    const std::string_view text = line_.substr(0, place);
    if (text.ends_with(kMinus)) return place - kMinus.size();
    const std::size_t length = text.ends_with('-') ? 1 : text.ends_with(kEnDash) ? kEnDash.size() : 0;
    return length > 0 && stands_apart(place - length) ? place - length : place;
  }

  bool stands_apart(std::size_t place) const {
    constexpr std::string_view kJoining = "_.-)]}%";
    const char last = before(place);
    if (is_letter(last) || is_digit(last) || kJoining.find(last) != std::string_view::npos) return false;
    if (line_.substr(0, place).ends_with("+/")) return false;
    if (static_cast<unsigned char>(last) >= 0x80) return is_behind_symbol(place);
    if (last != '+') return true;
    std::size_t other = place - 1;  // of "0.5 +-0.1"
    while (is_blank(before(other)) || before(other) == '(') --other;
    return !is_digit(before(other));
  }

  // A character of the blocks that hold blanks, punctuation, arrows and lines of tables, and no letters:
  // U+00A0 to U+00BF, U+2000 to U+2FFF, U+3000 to U+303F, U+FF00 to U+FF1F.
  bool is_behind_symbol(std::size_t place) const {
    std::size_t lead = place - 1;
    while (lead > 0 && continues_character(line_[lead])) --lead;
    const std::string_view character = line_.substr(lead, place - lead);
    return character.starts_with('\xC2') || character.starts_with('\xE2') ||
           character.starts_with("\xE3\x80") || character.starts_with("\xEF\xBC");
  }

  // Of 1e-3, where 3 or -3 at `place` is its exponent: before the 1.
  std::size_t before_exponent(std::size_t place) const {
    if (captured().find('.') != std::string_view::npos) return place;
    const bool has_sign = at(place) == '-' || at(place) == '+';
    if (!has_sign && !is_digit_at(place)) return place;
    const std::string_view text = line_.substr(0, place);
    std::size_t letter = place;
    for (const std::string_view sign : kExponentSigns)
      if (!has_sign && text.ends_with(sign)) letter = place - sign.size();
    const char mark = before(letter);
    const bool is_marked = kExponentLetters.find(mark) != std::string_view::npos &&
                           (has_sign || letter < place || mark == 'e' || mark == 'E');
    if (!is_marked) return place;
    std::size_t begin = before_digits(letter - 1);
    if (before(begin) == '.' && is_digit(before(begin - 1))) begin = before_digits(begin - 1);
    return begin < letter - 1 && starts_number(begin) ? begin : place;
  }

  // Of 0x1.8p3 or 0x1F.
  std::size_t before_hexadecimal(std::size_t place) const {
    constexpr std::string_view kDigits = "0123456789abcdefABCDEF.pPxX";
    std::size_t begin = place;
    while (begin > 0 && (kDigits.find(line_[begin - 1]) != std::string_view::npos ||
                         ((before(begin) == '-' || before(begin) == '+') && begin > 1 &&
                          (line_[begin - 2] == 'p' || line_[begin - 2] == 'P'))))
      --begin;
    const bool is_one = at(begin) == '0' && (at(begin + 1) == 'x' || at(begin + 1) == 'X');
    return is_one && begin + 2 <= place && starts_number(begin) ? begin : place;
  }

  // Of 93.5 or .5, where 5 at `place` was captured; of versions (1.2.3) and ranges (0..5) nothing.
  std::size_t before_point(std::size_t place) const {
    if (before(place) != '.' || captured().find('.') != std::string_view::npos) return place;
    const std::size_t point = place - 1, digits = before_digits(point), end = behind_digits(end_);
    if (at(end) == '.' && is_digit_at(end + 1)) return place;
    const std::size_t begin = digits < point ? before_groups(digits) : digits;
    constexpr std::string_view kOfPaths = "/)]}";
    if (begin == point && kOfPaths.find(before(point)) != std::string_view::npos) return place;
    return starts_number(begin) ? begin : place;
  }

  // Of 1,234.56 or 1'234 or 1_234, where 234 at `place` was captured, and of 0,2265; but not the columns of a
  // table or the elements of a list.
  std::size_t before_groups(std::size_t place) const {
    std::size_t begin = place;
    bool has_comma = false, has_blank = false;
    while (three_digits_at(begin)) {
      std::size_t mark = begin;
      for (const std::string_view each : kThousandsMarks)
        if (line_.substr(0, begin).ends_with(each)) mark = begin - each.size();
      const char last = before(begin);
      if (last == ',' || last == ' ' || last == '_') mark = begin - 1;
      const std::size_t digits = before_digits(mark);
      if (mark == begin || mark == digits || mark - digits > 3 || at(digits) == '0') break;
      has_comma = has_comma || last == ',';
      has_blank = has_blank || last == ' ';
      begin = digits;
    }
    const std::size_t end = behind_digits(end_);
    const bool goes_on = at(end) == ',' && is_digit_at(end + 1);
    if (begin == place && before(place) == ',' && is_digits() && !is_step_ && !goes_on) {
      begin = before_digits(place - 1);
      if (begin == place - 1) return place;
      has_comma = true;
    }
    if (begin == place || !starts_number(begin)) return place;
    if (has_comma && (is_element(begin) || (goes_on && !three_digits_at(end + 1)))) return place;
    if (has_blank && (is_step_ || !is_told_behind_name(begin))) return place;
    return (has_comma || has_blank) && !is_step_ && is_counted(begin) ? place : begin;
  }

  // What stands first on a line or in brackets, or behind a comma, may be an element of a list.
  bool is_element(std::size_t place) const {
    while (is_blank(before(place))) --place;
    constexpr std::string_view kOpening = "\n,;[({";
    return kOpening.find(before(place)) != std::string_view::npos;
  }

  bool is_counted(std::size_t place) const {
    constexpr std::string_view kBetween = " \t=:#[(";
    while (place > 0 && kBetween.find(line_[place - 1]) != std::string_view::npos) --place;
    std::string word;
    while (is_letter(before(place))) word.insert(word.begin(), static_cast<char>(line_[--place] | 0x20));
    return std::find(kCounters.begin(), kCounters.end(), word) != kCounters.end();
  }

  // "=1 234" and ": 1 234.56" are one number; others may be two columns.
  bool is_told_behind_name(std::size_t place) const {
    if (before(place) == '=') return true;
    const std::size_t end = behind_digits(end_);
    const bool has_fraction = captured().find('.') != std::string_view::npos ||
                              ((at(end) == '.' || at(end) == ',') && is_digit_at(end + 1));
    while (is_blank(before(place))) --place;
    return before(place) == ':' && has_fraction;
  }
};

}  // namespace

std::size_t begin_of_number(const CapturedNumber& number) { return NumberBegin(number).find(); }

}  // namespace tune::metrics

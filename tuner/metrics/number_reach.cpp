#include "tuner/metrics/number_reach.h"

#include <algorithm>
#include <array>
#include <string>

#include "tuner/core/visible_text.h"
#include "tuner/metrics/captured_number.h"
#include "tuner/metrics/number_begin.h"
#include "tuner/metrics/parse_number.h"

namespace tune::metrics {
namespace {

constexpr std::size_t kShownDigits = 40;  // of a number: nobody reads more digits
constexpr std::array<std::string_view, 3> kSigns{"\xC2\xB5", "\xCE\xBC",
                                                 "\xE2\x80\xB0"};  // micro, mu, per mille

// U+D7, U+B7, U+22C5, U+2219; TeX's.
constexpr std::array<std::string_view, 9> kTimesSigns{
    "*", "x", "X", "\xC3\x97", "\xC2\xB7", "\xE2\x8B\x85", "\xE2\x88\x99", "\\times", "\\cdot"};
// Digits and a minus set high: U+207B, U+2070, U+2074 to U+2079; U+B9, U+B2, U+B3.
constexpr std::array<std::string_view, 11> kRaised{
    "\xE2\x81\xBB", "\xE2\x81\xB0", "\xC2\xB9",     "\xC2\xB2",     "\xC2\xB3",    "\xE2\x81\xB4",
    "\xE2\x81\xB5", "\xE2\x81\xB6", "\xE2\x81\xB7", "\xE2\x81\xB8", "\xE2\x81\xB9"};
// A blank before a unit is common, and so are other words behind a number: these are never names of metrics.
constexpr auto kUnitWords = std::to_array<std::string_view>(
    {"ms",      "us",   "ns",     "msec",    "usec", "s",  "sec", "secs", "second", "seconds",
     "min",     "mins", "minute", "minutes", "h",    "hr", "hrs", "hour", "hours",  "day",
     "days",    "kB",   "KB",     "MB",      "GB",   "TB", "KiB", "MiB",  "GiB",    "TiB",
     "percent", "k",    "K",      "M",       "G",    "B",  "T"});
struct TimeUnit {
  std::string_view word;
  int rank;  // days first; what follows a part of a duration has a larger one
};
constexpr auto kTimeUnits = std::to_array<TimeUnit>(
    {{"d", 0},         {"day", 0},   {"days", 0}, {"h", 1},   {"hr", 1},   {"hrs", 1},
     {"hour", 1},      {"hours", 1}, {"m", 2},    {"min", 2}, {"mins", 2}, {"minute", 2},
     {"minutes", 2},   {"s", 3},     {"sec", 3},  {"sek", 3}, {"secs", 3}, {"second", 3},
     {"seconds", 3},   {"ms", 4},    {"msec", 4}, {"us", 5},  {"usec", 5}, {"\xC2\xB5s", 5},
     {"\xCE\xBCs", 5}, {"ns", 6}});
// What rates are told by: it/s, ms/step.
constexpr std::array<std::string_view, 14> kRateWords{"s",     "sec",   "second", "min",  "h",
                                                      "hr",    "it",    "iter",   "step", "batch",
                                                      "epoch", "image", "sample", "token"};

// What stands behind a captured number, and what that makes of it.
class Surroundings : public CapturedNumber {
 public:
  using CapturedNumber::CapturedNumber;

  NumberReach reach() const {
    const std::size_t begin = begin_of_number(*this), plain_end = end_of_number(),
                      end = behind_forms(plain_end);
    if (const std::size_t time_end = behind_time(plain_end); time_end > plain_end) {
      const bool is_all_before = begin == begin_ && plain_end == end_;
      return {is_all_before ? NumberReach::Kind::kTime : NumberReach::Kind::kCut,
              line_.substr(begin, time_end - begin),
              {}};
    }
    if (begin < begin_ || end > end_) {
      const NumberReach cut{NumberReach::Kind::kCut, line_.substr(begin, end - begin), {}};
      // 05 of 005, or 12 of 12.0.
      const auto value = parse_number(line_.substr(begin_, end_ - begin_)), whole = parse_number(cut.whole);
      if (!whole || *whole != *value) return cut;
      return {NumberReach::Kind::kWhole, cut.whole, {}};
    }
    if (match_end_ > end_) return {NumberReach::Kind::kWhole, captured(), {}};
    const auto unit = [&](std::size_t unit_begin, std::size_t unit_end) {
      return NumberReach{NumberReach::Kind::kUnit, line_.substr(begin_, unit_end - begin_),
                         line_.substr(unit_begin, unit_end - unit_begin)};
    };
    const std::size_t blanks_end = behind_blanks(end_);
    if (const std::size_t unit_end = behind_unit(end_); unit_end > end_) return unit(end_, unit_end);
    if (const std::size_t fraction_end = behind_fraction(end_); fraction_end > end_) {
      NumberReach fraction = unit(blanks_end, fraction_end);
      // What 0.5/0.6 is divided by may be a second value, which changes from line to line.
      if (fraction.whole.find('.') != std::string_view::npos) fraction.unit = fraction.unit.substr(0, 1);
      return fraction;
    }
    const std::size_t word_end = behind_unit_word(blanks_end);
    if (word_end == blanks_end) return {NumberReach::Kind::kWhole, captured(), {}};
    return unit(blanks_end, word_end);
  }

 private:
  // "1e" is no number, and what follows an exponent or a word ("inf") is digits at the most.
  bool has_exponent() const {
    return captured().find_first_not_of("0123456789.+-") != std::string_view::npos;
  }

  std::size_t end_of_number() const {
    std::size_t last = behind_digits(end_);
    if (has_exponent()) return last;
    if (!has_point(last) && at(last) == '.') {
      if (is_digit_at(last + 1)) last = behind_digits(last + 1);
      // NumPy prints 1.e-05.
      else if (const std::size_t end = behind_exponent(last + 1); end > last + 1)
        return end;
    }
    return behind_exponent(last);
  }

  // Behind the plain number that starts at `place`; `place` where there is none.
  std::size_t behind_number(std::size_t place) const {
    std::size_t end = behind_digits(place);
    if (at(end) == '.' && (end > place || is_digit_at(end + 1))) end = behind_digits(end + 1);
    return end > place ? behind_exponent(end) : place;
  }

  bool ends_word(std::size_t place) const {
    return !is_letter(at(place)) && !is_digit_at(place) && at(place) != '_';
  }

  // Behind "^-3", "**-3", " ** -3" or raised digits; `place` where there are none.
  std::size_t behind_raised(std::size_t place) const {
    std::size_t end = place;
    for (std::size_t next; (next = behind_one_of(kRaised, end)) > end;) end = next;
    if (end > place) return end;
    const std::size_t sign = behind_blanks(place);
    std::size_t digits = from(sign).starts_with("**") ? sign + 2 : at(sign) == '^' ? sign + 1 : sign;
    if (digits == sign) return place;
    const std::size_t behind_sign = digits;
    digits = behind_blanks(digits);
    if ((sign > place) != (digits > behind_sign)) return place;  // "5 **0.3**" is a number in bold
    const bool is_bracketed = at(digits) == '{' || at(digits) == '(';
    digits += is_bracketed ? 1 : 0;
    digits = behind_one_of(kExponentSigns, digits);
    if (!is_digit_at(digits)) return place;
    end = behind_digits(digits);
    return is_bracketed && (at(end) == '}' || at(end) == ')') ? end + 1 : end;
  }

  // Behind the rest of 10^-3, 5*10**-3, 5 x 10^-3, 5x10-3, 5 * 1e-3 or 5 e-3.
  std::size_t behind_power(std::size_t end) const {
    if (const std::size_t raised = behind_raised(end); raised > end) return raised;
    const std::size_t sign = behind_blanks(end);
    if (sign > end && behind_one_of(kExponentSigns, sign + 1) > sign + 1)
      if (const std::size_t exponent = behind_exponent(sign); exponent > sign && ends_word(exponent))
        return exponent;
    const std::size_t behind_sign = behind_one_of(kTimesSigns, sign), base = behind_blanks(behind_sign);
    if (behind_sign == sign || !is_digit_at(base)) return end;
    const std::size_t digits = behind_digits(base), factor = behind_number(base);
    if (line_.substr(base, digits - base) == "10") {
      if (const std::size_t raised = behind_raised(digits); raised > digits) return raised;
      const std::size_t power = behind_one_of(kExponentSigns, digits), power_end = behind_digits(power);
      if (power > digits && power_end > power && ends_word(power_end)) return power_end;
    }
    const bool has_power = line_.substr(base, factor - base).find_first_of("eEdD") != std::string_view::npos;
    return has_power ? factor : end;
  }

  // Behind the rest of 0.5+0.1j or 0.5 - 0.1im, or of 0.5j.
  std::size_t behind_imaginary_part(std::size_t end) const {
    if (match_end_ > end) return end;
    const auto behind_unit_of = [&](std::size_t place, std::string_view unit) {
      const std::size_t unit_end = place + unit.size();
      return from(place).starts_with(unit) && ends_word(unit_end) && at(unit_end) != '/' ? unit_end : place;
    };
    // Alone, "i" may be InfluxDB's mark of an integer, and "J" is joule.
    for (const std::string_view unit : {"j", "im"})
      if (const std::size_t place = behind_unit_of(end, unit); place > end) return place;
    const std::size_t sign = behind_blanks(end), part = behind_blanks(sign + 1);
    if (at(sign) != '+' && at(sign) != '-') return end;
    if ((sign > end) != (part > sign + 1)) return end;
    const std::size_t part_end = behind_number(part);
    if (part_end == part) return end;
    for (const std::string_view unit : {"j", "J", "i", "im"})
      if (const std::size_t place = behind_unit_of(part_end, unit); place > part_end) return place;
    return end;
  }

  struct TimeUnitAt {
    int rank = -1;  // there is none
    std::size_t end = 0;
  };
  // The unit of time behind a number, also behind a blank; of a rate, as in 20ms/step, it is none.
  TimeUnitAt time_unit(std::size_t place) const {
    const std::size_t begin = behind_blanks(place);
    std::size_t end = behind_one_of(kSigns, begin);
    while (is_letter(at(end))) ++end;
    constexpr std::string_view kOfOthers = "/=_([";
    if (kOfOthers.find(at(end)) != std::string_view::npos) return {};
    std::string word(from(begin).substr(0, end - begin));
    constexpr std::size_t kLettersOfWord = 3;  // "M" is million, but "Min" is a minute
    if (word.size() >= kLettersOfWord && is_letter(word[0])) word[0] = static_cast<char>(word[0] | 0x20);
    for (const TimeUnit& unit : kTimeUnits)
      if (unit.word == word) return {unit.rank, end};
    return {};
  }

  // Behind what joins "2 min" to ", 5 sec", to " and 5 seconds" or, abbreviated, to ". 5 sec".
  std::size_t behind_joint(std::size_t place) const {
    if (at(place) == '.' || at(place) == ',') return behind_blanks(place + 1);
    const std::size_t word = behind_blanks(place);
    return word > place && from(word).starts_with("and ") ? word + 4 : word;
  }

  // Behind the rest of 1m23s, 1 h 30 min, 1h05 or 2 days, 1:23:45; "25m 300ms" are two values. A regex that
  // goes on beyond the first unit knows the rest.
  std::size_t behind_duration(std::size_t end) const {
    const std::size_t fraction = line_.find('.', begin_);
    if (fraction < end &&
        line_.substr(fraction + 1, end - fraction - 1).find_first_not_of('0') != std::string_view::npos)
      return end;
    TimeUnitAt unit = time_unit(end);
    if (unit.rank < 0 || match_end_ > unit.end) return end;
    if (const std::size_t rest = behind_digits(unit.end);
        (unit.rank == 1 || unit.rank == 2) && rest == unit.end + 2 && ends_word(rest) && at(rest) != '.')
      return rest;
    if (unit.rank == 0) {
      const std::size_t clock = behind_blanks(unit.end + (at(unit.end) == ',' ? 1 : 0));
      std::size_t place = behind_digits(clock);
      if (place > clock && at(place) == ':' && is_digit_at(place + 1)) {
        while (is_digit_at(place) || ((at(place) == ':' || at(place) == '.') && is_digit_at(place + 1)))
          ++place;
        return place;
      }
    }
    constexpr int kSeconds = 3;
    for (std::size_t place = end;;) {
      const std::size_t begin = unit.rank < kSeconds ? behind_joint(unit.end) : behind_blanks(unit.end),
                        digits = behind_digits(begin);
      const TimeUnitAt next = digits > begin ? time_unit(behind_number(begin)) : TimeUnitAt{};
      const int smaller = next.rank - unit.rank;
      const bool is_next = next.rank > 0 && (smaller == 1 || (smaller == 2 && next.rank <= kSeconds));
      if (!is_next || digits - begin > (next.rank <= kSeconds ? 2 : 3)) return place;
      place = next.end;
      unit = next;
    }
  }

  // Behind the rest of 1½, or of 1 1/2 where an equals sign says that it is one value.
  std::size_t behind_mixed_fraction(std::size_t end) const {
    const std::size_t sign = behind_blanks(end);
    const std::string_view rest = from(sign);
    if (rest.size() >= 2 && rest[0] == '\xC2' && rest[1] >= '\xBC' && rest[1] <= '\xBE') return sign + 2;
    if (rest.size() >= 3 && rest.starts_with("\xE2\x85") && rest[2] >= '\x90' && rest[2] <= '\x9E')
      return sign + 3;
    const bool is_one_value = !is_step_ && before(begin_) == '=' && !has_point(end) && match_end_ == end;
    const bool is_fraction = sign > end && is_digit_at(sign) && at(sign + 1) == '/' && is_digit_at(sign + 2);
    return is_one_value && is_fraction && at(sign) < at(sign + 2) && ends_word(sign + 3) ? sign + 3 : end;
  }

  // Behind the rest of 1:23 or 0:01:23.5; what the regex itself matched of it, its author knows.
  std::size_t behind_time(std::size_t end) const {
    if (has_exponent() || has_point(end) || match_end_ > end) return end;
    std::size_t place = end;
    while (at(place) == ':' && is_digit_at(place + 1) && is_digit_at(place + 2) && !is_digit_at(place + 3))
      place += 3;
    if (place > end && at(place) == '.' && is_digit_at(place + 1)) place = behind_digits(place + 1);
    if (place > end) return place;
    // 1:2:3, and 5'30" by feet's and inches' marks.
    const std::size_t second = behind_digits(end + 1), third = behind_digits(second + 1);
    const auto has_part = [&](std::size_t from_place, std::size_t to_place) {
      return to_place > from_place && to_place - from_place <= 2;
    };
    if (at(end) == ':' && has_part(end + 1, second) && at(second) == ':' && has_part(second + 1, third) &&
        ends_word(third) && at(third) != ':')
      return third;
    return at(end) == '\'' && has_part(end + 1, second) && at(second) == '"' ? second + 1 : end;
  }

  // Behind the rest of 45/50, 1 / 3 or 0.3/0.5; 2024/01/15 is a date.
  std::size_t behind_fraction(std::size_t end) const {
    if (has_exponent()) return end;
    constexpr std::size_t kDigitsOfYear = 4;
    std::size_t parts = 1, place = end;
    bool has_year = end - begin_ == kDigitsOfYear;
    for (;;) {
      const std::size_t slash = behind_blanks(place), part = behind_blanks(slash + 1);
      if (at(slash) != '/' || !is_digit_at(part)) break;
      place = behind_number(part);
      has_year = has_year || place - part == kDigitsOfYear;
      ++parts;
    }
    constexpr std::size_t kPartsOfDate = 3;
    return parts == kPartsOfDate && has_year ? end : place;
  }

  // Numbers as people and other programs write them, from where the plain form ends.
  std::size_t behind_forms(std::size_t end) const {
    if (const std::size_t sum = behind_imaginary_part(end); sum > end) return sum;
    if (has_exponent()) return end;
    if (const std::size_t power = behind_power(end); power > end) return power;
    if (const std::size_t mixed = behind_mixed_fraction(end); mixed > end) return mixed;
    if (const std::size_t duration = behind_duration(end); duration > end) return duration;
    const bool goes_on = is_cut_at_comma(end) || is_cut_at_blank(end) || has_thousands_mark(end) ||
                         (at(end) == '_' && is_digit_at(end + 1)) ||
                         (at(end) == '.' && is_digit_at(end + 1) && has_point(end)) || is_hexadecimal(end) ||
                         at_hash_word(end) || (at(end) == '.' && at_hash_word(end + 1)) ||
                         is_middle_point(end) ||
                         from(end).starts_with(
                             "\xC3\x97"
                             "10");
    if (!goes_on) return end;
    std::size_t place = end + (at_hash_word(end + 1) ? 1 : 0);
    while (place < line_.size()) {
      const char byte = line_[place];
      const bool is_part = is_digit(byte) || is_letter(byte) || static_cast<unsigned char>(byte) >= 0x80 ||
                           byte == '#' || byte == '^';
      constexpr std::string_view kInner = ".,_' -+";
      const bool is_inner = kInner.find(byte) != std::string_view::npos && is_digit_at(place + 1);
      if (!is_part && !is_inner) break;
      ++place;
    }
    return place;
  }

  // Of 1.#INF, as Microsoft's C prints it.
  bool at_hash_word(std::size_t place) const { return at(place) == '#' && is_letter(at(place + 1)); }

  // 0·5, as it was printed in Britain.
  bool is_middle_point(std::size_t end) const {
    constexpr std::string_view kPoint = "\xC2\xB7";
    return from(end).starts_with(kPoint) && is_digit_at(end + kPoint.size());
  }

  // 1,234.56 and 0,2265 and 1.234,56; but not the columns of a table or the elements of a list.
  bool is_cut_at_comma(std::size_t end) const {
    if (at(end) != ',' || !is_digit_at(end + 1)) return false;
    std::size_t before = begin_;
    while (before > 0 && is_blank(line_[before - 1])) --before;
    constexpr std::string_view kOpening = ",;[({";
    const bool is_column = before > 0 && line_[before - 1] == ',';
    const bool is_first = before == 0 || kOpening.find(line_[before - 1]) != std::string_view::npos;
    if (is_column || (is_first && match_end_ > end)) return false;
    return !has_point(end) || is_grouped_by_points(line_.substr(begin_, end - begin_));
  }

  static bool is_grouped_by_points(std::string_view number) {
    if (number.empty() || number.front() < '1' || number.front() > '9') return false;
    std::size_t digits = 0;
    bool is_first = true;
    for (const char c : number) {
      if (c == '.') {
        if (is_first ? digits > 3 : digits != 3) return false;
        is_first = false, digits = 0;
      } else {
        ++digits;
      }
    }
    return !is_first && digits == 3;
  }

  bool has_thousands_mark(std::size_t end) const {
    return std::any_of(kThousandsMarks.begin(), kThousandsMarks.end(), [&](std::string_view mark) {
      return from(end).starts_with(mark) && three_digits_at(end + mark.size());
    });
  }

  // "1 234.56" may be two columns, so it must look like one number: a fraction, or an equals sign before it.
  bool is_cut_at_blank(std::size_t end) const {
    if (is_step_ || at(end) != ' ' || match_end_ > end || end - begin_ > 3 || has_point(end) ||
        at(begin_) == '0')
      return false;
    std::size_t place = end;
    while (at(place) == ' ' && three_digits_at(place + 1)) place += 4;
    const bool has_fraction = (at(place) == '.' || at(place) == ',') && is_digit_at(place + 1);
    return place > end && (has_fraction || (begin_ > 0 && line_[begin_ - 1] == '='));
  }

  // 0x1F; also 0b11 and 0o17.
  bool is_hexadecimal(std::size_t end) const {
    if (captured() != "0") return false;
    const char digit = at(end + 1);
    switch (at(end) | 0x20) {
      case 'b':
        return digit == '0' || digit == '1';
      case 'o':
        return digit >= '0' && digit <= '7';
      case 'x':
        return is_digit(digit) || (digit >= 'a' && digit <= 'f') || (digit >= 'A' && digit <= 'F');
      default:
        return false;
    }
  }

  // A unit apart from its number is one of those that are known, and nothing of its own follows: in
  // "0.5 s: 3" and "0.5 min 0.1" it is a name.
  std::size_t behind_unit_word(std::size_t place) const {
    const std::size_t end = behind_unit(place);
    const std::string_view word = line_.substr(std::min(place, line_.size()), end - place);
    const auto is_in = [](const auto& words, std::string_view part) {
      return std::find(words.begin(), words.end(), part) != words.end();
    };
    const std::size_t slash = word.find('/');
    const bool is_rate = slash != std::string_view::npos && is_in(kRateWords, word.substr(slash + 1));
    const bool is_known = word == "%" || word == "\xE2\x80\xB0" || word == "\xC2\xB5s" ||
                          word == "\xCE\xBCs" || is_rate || is_in(kUnitWords, word);
    constexpr std::string_view kOfNames = ":=_-([";
    const char next = at(behind_blanks(end));
    const bool is_name =
        is_letter(at(place)) && (kOfNames.find(at(end)) != std::string_view::npos || is_digit(next) ||
                                 next == ':' || next == '=' || (at(end) == '.' && is_letter(at(end + 1))));
    return is_known && !is_name ? end : place;
  }

  std::size_t behind_unit(std::size_t place) const {
    const std::size_t begin = place;
    for (;;) {
      if (const std::size_t sign = behind_one_of(kSigns, place); sign > place)
        place = sign;
      else if (is_letter(at(place)) || at(place) == '%' || (at(place) == '/' && place > begin))
        ++place;
      else
        return place;
    }
  }
};

std::string reads(std::string_view captured, const NumberReach& reach) {
  return "the regex reads " + shortened(captured, kShownDigits) + " of " +
         shortened(reach.whole, kShownDigits);
}

}  // namespace

NumberReach reach_of(std::string_view line, std::string_view captured, std::size_t match_end, NumberIs is) {
  // A group that ends in a space has its number whole.
  if (captured.empty() || (!is_digit(captured.back()) && captured.back() != '.'))
    return {NumberReach::Kind::kWhole, captured, {}};
  return Surroundings(line, captured, match_end, is).reach();
}

std::string cut_text(std::string_view captured, const NumberReach& reach) {
  if (!parse_number(reach.whole))
    return reads(captured, reach) + ": let the program print a plain number, as 1234.56 or 0.2265";
  // Of 2.5, a greedy loss.*(\d+) reads 5; a sign alone is the group's to take.
  const bool is_greedy =
      reach.whole.data() < captured.data() && (is_digit(captured.data()[-1]) || captured.data()[-1] == '.');
  return reads(captured, reach) + ": capture all of it, as with ([-+.\\w]+)" +
         (is_greedy ? ", and with .*? in place of .* before it" : "");
}

std::string unit_text(std::string_view captured, const NumberReach& reach) {
  const char* rest = reach.unit.starts_with('/') ? "the rest" : "the unit";
  return reads(captured, reach) + ": write " + rest +
         " behind the group, so that no other one is taken for it";
}

}  // namespace tune::metrics

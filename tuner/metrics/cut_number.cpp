#include "tuner/metrics/cut_number.h"

#include "tuner/core/characters.h"
#include "tuner/core/visible_text.h"
#include "tuner/metrics/parse_number.h"

namespace tune::metrics {
namespace {

constexpr std::size_t kShown = 40;  // of a number: nobody reads more digits

bool is_digit_at(std::string_view text, std::size_t at) { return at < text.size() && is_digit(text[at]); }

std::size_t behind_digits(std::string_view line, std::size_t at) {
  while (is_digit_at(line, at)) ++at;
  return at;
}

// Behind an exponent that starts at `at`; `at` itself where there is none.
std::size_t behind_exponent(std::string_view line, std::size_t at) {
  if (at >= line.size() || (line[at] != 'e' && line[at] != 'E')) return at;
  const bool is_signed = at + 1 < line.size() && (line[at + 1] == '-' || line[at + 1] == '+');
  const std::size_t digits = at + (is_signed ? 2 : 1);
  return is_digit_at(line, digits) ? behind_digits(line, digits) : at;
}

// Where the number ends of which line[begin, end) is the beginning.
std::size_t end_of_number(std::string_view line, std::size_t begin, std::size_t end) {
  const std::string_view captured = line.substr(begin, end - begin);
  // "1e" is no number, and what follows an exponent or a word ("inf") is digits at the most.
  const bool has_exponent = captured.find_first_not_of("0123456789.+- \t") != std::string_view::npos;
  std::size_t last = behind_digits(line, end);
  if (has_exponent) return last;
  const bool has_point = captured.find('.') != std::string_view::npos;
  if (!has_point && last < line.size() && line[last] == '.' && is_digit_at(line, last + 1)) {
    const std::size_t fraction = behind_digits(line, last + 1);
    // 1.2.3 is a version or a date.
    if (fraction < line.size() && line[fraction] == '.' && is_digit_at(line, fraction + 1)) return end;
    last = fraction;
  }
  return behind_exponent(line, last);
}

}  // namespace

std::optional<std::string> cut_number(std::string_view line, std::string_view captured) {
  if (captured.empty() || !parse_number(captured)) return std::nullopt;
  // A group that ends in a space has its number whole.
  const char last_character = captured.back();
  if (!is_digit(last_character) && last_character != '.') return std::nullopt;
  const auto begin = static_cast<std::size_t>(captured.data() - line.data()), end = begin + captured.size();
  const std::size_t last = end_of_number(line, begin, end);
  if (last == end) return std::nullopt;
  return "the regex reads " + shortened(captured, kShown) + " of " +
         shortened(line.substr(begin, last - begin), kShown) + ": capture all of it, as with (\\S+)";
}

}  // namespace tune::metrics

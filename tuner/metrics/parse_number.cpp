#include <charconv>
#include <limits>
#include <system_error>

#include "tuner/core/characters.h"
#include "tuner/metrics/parse_number.h"

namespace tune::metrics {
namespace {

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (lower_case(text[i]) != lower[i]) return false;
  return true;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The value of a well-formed number that no double holds: infinity when it is too large, 0 when it is too
// small.
double out_of_range_value(std::string_view text) {
  const std::size_t exponent_at = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, exponent_at);
  if (exponent_at != std::string_view::npos)
    return text[exponent_at + 1] == '-' ? 0.0 : std::numeric_limits<double>::infinity();
  const std::string_view whole = mantissa.substr(0, mantissa.find('.'));
  return whole.find_first_not_of('0') == std::string_view::npos ? 0.0
                                                                : std::numeric_limits<double>::infinity();
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  text = trimmed(text);
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;
  double value = 0;
  if (equals_ignoring_case(text, "nan")) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (equals_ignoring_case(text, "inf") || equals_ignoring_case(text, "infinity")) {
    value = std::numeric_limits<double>::infinity();
  } else {
    // from_chars reads no locale; it would also take "nan(...)" and a second sign, hence the first character
    // is checked.
    if (!is_digit(text.front()) && text.front() != '.') return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
    if (error == std::errc::result_out_of_range) value = out_of_range_value(text);
  }
  return negative ? -value : value;
}

}  // namespace tune::metrics

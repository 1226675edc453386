#include "tuner/core/number_text.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "tuner/core/json.h"

namespace tune {
namespace {

std::string six_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

}  // namespace

std::string number_text(double value) {
  // printf writes "-nan" for some NaNs; a sign of NaN means nothing.
  if (!std::isfinite(value)) return shortest(value);
  const std::string text = six_digits(value);
  // "1e-04" for "0.0001", but no exponent for large numbers that do without.
  const std::string shorter = std::abs(value) < 1 ? shortest(std::strtod(text.c_str(), nullptr)) : text;
  return shorter.size() < text.size() ? shorter : text;
}

double rounded_for_people(double value) { return std::strtod(six_digits(value).c_str(), nullptr); }

std::string gib_text(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GiB", static_cast<double>(bytes) / static_cast<double>(1u << 30));
  return text;
}

std::optional<double> finite_number_in(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  const bool is_number = error == std::errc() && at == end && std::isfinite(number);
  return is_number ? std::optional(number) : std::nullopt;
}

}  // namespace tune

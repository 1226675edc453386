#include "tuner/core/number_text.h"

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

}  // namespace tune

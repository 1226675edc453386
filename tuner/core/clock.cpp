#include "tuner/core/clock.h"
#include "tuner/core/characters.h"

#include <array>
#include <cstdio>
#include <limits>
#include <stdexcept>

namespace tune {
namespace {

struct Unit {
  const char* name;
  std::int64_t milliseconds;
};
// Largest first: a duration names its units in this order.
constexpr std::array<Unit, 5> kUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::int64_t kLongest =
    100LL * 365 * 86'400'000;  // a century: nothing real is longer, and sums cannot overflow

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw std::invalid_argument("\"" + text + "\" is not a duration" + (why.empty() ? "" : ": " + why) +
                              "; write it like \"90s\", \"20m\", \"2h\", \"1d\" or \"1h30m\"");
}

std::size_t find_unit(const std::string& name) {
  for (std::size_t i = 0; i < kUnits.size(); ++i)
    if (name == kUnits[i].name) return i;
  return kUnits.size();
}

std::string padded(std::int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); }

}  // namespace

SteadyTime SystemClock::steady_now() const { return std::chrono::steady_clock::now(); }

WallTime SystemClock::wall_now() const {
  return std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
}

Milliseconds parse_duration(const std::string& text) {
  std::int64_t total = 0;
  std::size_t next_unit = 0, at = 0;
  if (text.empty()) refuse(text, "it is empty");
  while (at < text.size()) {
    if (!is_digit(text[at])) refuse(text, at == 0 ? "it does not start with a digit" : "");
    std::int64_t count = 0;
    for (; at < text.size() && is_digit(text[at]); ++at) {
      count = count * 10 + (text[at] - '0');
      if (count > kLongest) refuse(text, "it is longer than a century");
    }
    const std::size_t unit_start = at;
    while (at < text.size() && !is_digit(text[at])) ++at;
    const std::string name = text.substr(unit_start, at - unit_start);
    if (name.empty()) refuse(text, "a number has no unit");
    const std::size_t unit = find_unit(name);
    if (name == "." || name == ",") refuse(text, "fractions are not taken");
    if (unit == kUnits.size()) refuse(text, "\"" + name + "\" is not a unit");
    if (unit < next_unit) refuse(text, "units go from large to small, each once");
    next_unit = unit + 1;
    if (count > kLongest / kUnits[unit].milliseconds) refuse(text, "it is longer than a century");
    total += count * kUnits[unit].milliseconds;
  }
  return Milliseconds(total);
}

std::string format_duration(Milliseconds duration) {
  const std::int64_t ms = duration.count();
  if (ms == std::numeric_limits<std::int64_t>::min()) return "-" + format_duration(Milliseconds(kLongest));
  if (ms < 0) return "-" + format_duration(-duration);
  if (ms == 0) return "0s";
  if (ms < 1000) return std::to_string(ms) + "ms";
  const std::int64_t seconds = ms / 1000, minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (minutes < 60) return std::to_string(minutes) + "m " + padded(seconds % 60) + "s";
  if (hours < 24) return std::to_string(hours) + "h " + padded(minutes % 60) + "m";
  return std::to_string(days) + "d " + std::to_string(hours % 24) + "h";
}

std::string format_time(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text.data();
}

}  // namespace tune

#include "trainer/data/written_values.h"

#include <charconv>
#include <cmath>

#include "trainer/data/text_file.h"
#include "tuner/core/characters.h"

namespace tune::trainer::data {

namespace {

template <typename Number>
std::optional<Number> parsed(std::string_view text) {
  std::string word = trimmed(text);
  if (word.starts_with('+') && !word.starts_with("+-")) word.erase(0, 1);
  Number value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<double> number_of(std::string_view text) { return parsed<double>(text); }

std::optional<double> number_of(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return number_of(std::string_view(value.get_ref<const std::string&>()));
  return std::nullopt;
}

std::optional<std::int64_t> whole_number(double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53: beyond, a double stands for several whole numbers
  if (!(std::abs(value) < kExact) || std::floor(value) != value) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  if (const auto whole = parsed<std::int64_t>(text)) return whole;
  const auto number = parsed<double>(text);
  return number ? whole_number(*number) : std::nullopt;
}

std::optional<std::int64_t> whole_number(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number_float()) return whole_number(value.get<double>());
  if (value.is_string()) return whole_number(std::string_view(value.get_ref<const std::string&>()));
  return std::nullopt;
}

std::string not_whole(const Json& value) {
  const std::string shown = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto number = number_of(value);
  if (number && std::floor(*number) == *number)
    return "is " + shown +
           (value.is_number_float()
                ? ", which no longer is exact (floats are up to 2^53, whole numbers up to 2^63)"
                : ", beyond 2^63 - 1, the largest id that is read");
  return "is " + shown + ", not a whole number";
}

std::optional<bool> flag_of(std::string_view text) {
  const std::string word = lower_case(trimmed(text));
  if (word.empty() || word == "false" || word == "no") return false;
  if (word == "true" || word == "yes") return true;
  const auto number = number_of(std::string_view(word));
  if (!number || (*number != 0 && *number != 1)) return std::nullopt;
  return *number == 1;
}

std::optional<bool> flag_of(const Json& value) {
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_string()) return flag_of(std::string_view(value.get_ref<const std::string&>()));
  if (value.is_number() && (value == 0 || value == 1)) return value == 1;
  return std::nullopt;
}

}  // namespace tune::trainer::data

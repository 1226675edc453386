#include "trainer/tasks/language_model/given_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "tuner/core/characters.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"

namespace tune::trainer::language_model {
namespace {

[[noreturn]] void refuse(const std::string& place, const Json& value, const std::string& wanted) {
  throw Error(ExitCode::kBadSpec, place + " is " + value.dump(), "it must be " + wanted);
}

std::optional<double> number_in(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const std::string& text = value.get_ref<const std::string&>();
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

double GivenValue::number(double least, double most) const {
  const std::optional<double> number = number_in(value_);
  if (!number || !(*number >= least && *number <= most))
    refuse(place_, value_, "a number from " + shortest(least) + " to " + shortest(most));
  return *number;
}

std::int64_t GivenValue::whole(std::int64_t least, std::int64_t most) const {
  const std::optional<double> number = number_in(value_);
  if (!number || std::nearbyint(*number) != *number || *number < static_cast<double>(least) ||
      *number > static_cast<double>(most))
    refuse(place_, value_, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return static_cast<std::int64_t>(*number);
}

bool GivenValue::flag() const {
  if (value_.is_boolean()) return value_.get<bool>();
  const std::string text = value_.is_string() ? lower_case(value_.get<std::string>()) : value_.dump();
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  refuse(place_, value_, "true or false");
}

std::string GivenValue::one_of(const std::vector<std::string>& values) const {
  if (value_.is_string() &&
      std::find(values.begin(), values.end(), value_.get<std::string>()) != values.end())
    return value_.get<std::string>();
  throw Error(ExitCode::kBadSpec, place_ + " is " + value_.dump(),
              name_hint(value_.is_string() ? value_.get<std::string>() : "", values, "values"));
}

}  // namespace tune::trainer::language_model

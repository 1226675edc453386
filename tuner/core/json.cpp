#include "tuner/core/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace tune {

std::string shortest(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  std::array<char, 32> text{};  // the longest shortest double has 24 characters
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

std::string argument_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return shortest(value.get<double>());
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string positional_text(const Json& value) {
  if (!value.is_number_float()) return argument_text(value);
  const double number = value.get<double>();
  if (!(number < 0) || !std::isfinite(number)) return argument_text(value);
  std::array<char, 400> text{};  // the longest has 327 characters: -4.9e-324
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed).ptr;
  return {text.data(), end};
}

bool is_whole(const OrderedJson& value) {
  return value.is_number_integer() ||
         (value.is_number() && std::trunc(value.get<double>()) == value.get<double>());
}

Json number_to_json(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  return number;
}

double number_from_json(const Json& json) {
  if (json.is_number()) return json.get<double>();
  if (json == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (json == "Infinity") return std::numeric_limits<double>::infinity();
  if (json == "-Infinity") return -std::numeric_limits<double>::infinity();
  throw std::invalid_argument(argument_text(json) +
                              " is neither a number nor \"NaN\", \"Infinity\" or \"-Infinity\"");
}

std::string with_quoted_non_finite(std::string_view text) {
  std::string result;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t taken = 1;
    if (in_string && text[i] == '\\') {
      taken = std::min<std::size_t>(2, text.size() - i);
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string) {
      for (const std::string_view word : {"NaN", "-Infinity", "Infinity"}) {
        if (!text.substr(i).starts_with(word)) continue;
        result.append("\"").append(word).append("\"");
        i += word.size();
        taken = 0;
        break;
      }
    }
    result.append(text.substr(i, taken));
    i += taken;
  }
  return result;
}

}  // namespace tune

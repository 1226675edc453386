#pragma once
// The JSON type of the project, and number formatting that reads back the same.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tune {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

// The shortest text that reads back as the same double: "0.001", "1e-05", "3". NaN and infinities as "nan",
// "inf", "-inf".
std::string shortest(double number);
// A value as it appears inside an argv element: text without quotes, numbers by shortest(), other JSON
// compact.
std::string argument_text(const Json& value);
// The same, for where "-1e-05" would be taken for an option: a negative number has no exponent, "-0.00001",
// and reads back the same.
std::string positional_text(const Json& value);
// Whether it is a number without a fraction, however it is written: 3, 3.0, 3e0.
bool is_whole(const OrderedJson& value);
// JSON has no NaN: a non-finite double travels as "NaN", "Infinity" or "-Infinity".
Json number_to_json(double number);
double number_from_json(const Json& json);  // the inverse; throws std::invalid_argument for anything else
// Python's json writes NaN, Infinity and -Infinity bare, which is no JSON: the same text with them in quotes.
std::string with_quoted_non_finite(std::string_view text);

}  // namespace tune

#pragma once
// Numbers, ids and flags as people's tools write them: 7, 7.0, "7", " 1 ", "true", null.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tuner/core/json.h"

namespace tune::trainer::data {

// The whole text is one number, white space around it apart; nan and inf are numbers here. nullopt for
// anything else.
std::optional<double> number_of(std::string_view text);
// JSON's number, or a text that is one.
std::optional<double> number_of(const Json& value);

// A whole number that is exact: up to 2^63 where it is written as one, up to 2^53 where it is a float such as
// 7.0. nullopt for anything else, and never another number than what stands there.
std::optional<std::int64_t> whole_number(double value);
std::optional<std::int64_t> whole_number(std::string_view text);
std::optional<std::int64_t> whole_number(const Json& value);
// Why whole_number() gave nothing: "is 1.7, not a whole number".
std::string not_whole(const Json& value);

// 0 and 1, false and true, no and yes, in any case and as number or text; nothing and null are false.
std::optional<bool> flag_of(std::string_view text);
std::optional<bool> flag_of(const Json& value);

}  // namespace tune::trainer::data

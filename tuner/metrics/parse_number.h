#pragma once
// Numbers as trainers print them.
#include <optional>
#include <string_view>

namespace tune::metrics {

// What a captured text says as a number: decimal or exponent form, "nan", "inf", "-inf" in any case; nullopt
// for anything else ("(0.52)", "").
std::optional<double> parse_number(std::string_view text);

}  // namespace tune::metrics

#pragma once
// A regex that reads only the beginning of a number: 3.1 of 3.1e-05, or 0 of 0.226.
#include <optional>
#include <string>
#include <string_view>

namespace tune::metrics {

// What a person should know when `captured`, which must be a part of `line`, is a number that goes on in the
// line: "the regex reads 3.1 of 3.1e-05: ..."; nullopt when it is all of a number, or none.
std::optional<std::string> cut_number(std::string_view line, std::string_view captured);

}  // namespace tune::metrics

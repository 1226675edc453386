#pragma once
// "Did you mean ...?"
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tune {

// How many insertions, deletions, replacements and swaps of neighbours turn `a` into `b` (optimal string
// alignment).
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate that `name` most likely stands for: the nearest by edit distance, upper and lower case alike,
// or one of which it is the beginning; the first of equals. nullopt when none is near.
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& candidates);

// `did you mean "log"?`, or "valid scales: linear, log" when nothing is near; `what` is the plural "valid
// scales".
std::string name_hint(std::string_view name, const std::vector<std::string>& candidates,
                      const std::string& what);

}  // namespace tune

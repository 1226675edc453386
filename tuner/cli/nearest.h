#pragma once
// "Did you mean": the nearest of the names that exist.
#include <string>
#include <string_view>
#include <vector>

namespace tune::cli {

// The candidate with the smallest Damerau-Levenshtein distance (optimal string alignment) to `name`, the
// first of equals; empty when none is near enough to be meant (distance over a third of the length, at least
// 1).
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace tune::cli

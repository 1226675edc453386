#pragma once
// A count with its noun, for a person.
#include <concepts>
#include <string>

namespace tune {

// "1 trial", "2 trials"
template <std::integral Count>
std::string plural_text(Count count, const std::string& word) {
  return std::to_string(count) + ' ' + word + (count == 1 ? "" : "s");
}

}  // namespace tune

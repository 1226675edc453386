#pragma once
// How often a text is in another one.
#include <cstddef>
#include <string>

namespace tune::tests {

inline std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace tune::tests

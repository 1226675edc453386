#pragma once
// Text that stands below something else.
#include <algorithm>
#include <string>
#include <string_view>

namespace tune {

// Every line of `lines` behind `indent`, and a line end behind each.
inline std::string indented_text(std::string_view lines, std::string_view indent) {
  std::string text;
  for (std::size_t from = 0; from < lines.size();) {
    const std::size_t to = std::min(lines.find('\n', from), lines.size());
    text.append(indent).append(lines.substr(from, to - from)).push_back('\n');
    from = to + 1;
  }
  return text;
}

}  // namespace tune

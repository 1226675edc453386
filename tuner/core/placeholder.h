#pragma once
// `{{name}}` within one element of a command.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tune {

struct Placeholder {
  std::string name;       // what stands between the braces, as written
  std::size_t begin = 0;  // of "{{"
  std::size_t end = 0;    // behind "}}"
};

// From left to right. A "{{" that is never closed is text.
std::vector<Placeholder> find_placeholders(std::string_view element);

}  // namespace tune

#pragma once
// `{{name}}` within one element of a command, and which elements are options.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/json.h"

namespace tune {

struct Placeholder {
  std::string name;       // what stands between the braces, as written
  std::size_t begin = 0;  // of "{{"
  std::size_t end = 0;    // behind "}}"
};

// Placeholders that `tune` fills itself, beside parameters and fixed values.
const std::vector<std::string>& built_in_placeholders();

// From left to right. A "{{" that is never closed is text.
std::vector<Placeholder> find_placeholders(std::string_view element);

// Whether the element is one placeholder and nothing else.
bool is_one_placeholder(std::string_view element, const std::vector<Placeholder>& placeholders);

// Whether the element is an option that may wait for its value in the next one: "--lr" or "-l", not "--lr=1",
// "--", "-1", and nothing with a placeholder.
bool is_bare_option(std::string_view element);

// Whether a text is an option of its own, such as "--use-amp" or "-v"; "-1", "-" and "-inf" are values.
bool is_option_text(std::string_view text);

// Whether the values of a parameter are whole options, which stand for themselves: ["--amp", null]. No option
// waits for such a value.
bool is_switch(const std::vector<Json>& values);

}  // namespace tune

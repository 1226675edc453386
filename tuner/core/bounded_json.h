#pragma once
// JSON that anybody may have written: read without recursion where it is nested without end.
#include <cstddef>
#include <string>
#include <string_view>

#include "tuner/core/json.h"

namespace tune {

// Nesting of JSON beyond this is nobody's document: what copies or prints such a value would end the program
// for lack of stack.
inline constexpr std::size_t kDeepestJson = 100;

struct BoundedJson {
  Json value;  // null when there is a problem
  std::string
      problem;  // "it is nested deeper than 100 levels", "it is not JSON (...)"; empty when there is none
};
// Never throws and never recurses, whatever the text is.
BoundedJson parse_bounded_json(std::string_view text, std::size_t deepest = kDeepestJson);

}  // namespace tune

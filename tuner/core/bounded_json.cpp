#include "tuner/core/bounded_json.h"

#include <utility>

namespace tune {
namespace {

// Whether the text opens more brackets than it closes, outside of its strings, by more than `deepest`.
bool is_too_deep(std::string_view text, std::size_t deepest) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > deepest) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

BoundedJson parse_bounded_json(std::string_view text, std::size_t deepest) {
  if (is_too_deep(text, deepest))
    return {nullptr, "it is nested deeper than " + std::to_string(deepest) + " levels"};
  try {
    Json value = Json::parse(text);
    // The parser takes a NUL byte for the end of the text.
    if (text.find('\0') != std::string_view::npos)
      return {nullptr, "it is not JSON (there is text after the end of the document)"};
    return {std::move(value), {}};
  } catch (const Json::exception& problem) {
    const std::string said = problem.what();
    constexpr std::size_t kLongest = 200;
    return {nullptr, "it is not JSON (" + said.substr(0, kLongest) + ")"};
  }
}

}  // namespace tune

#pragma once
// The texts of an enumeration, as files and databases hold them: one table for both directions.
#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "tuner/core/error.h"

namespace tune {

template <typename Value, std::size_t kCount>
using EnumTexts = std::array<std::pair<Value, const char*>, kCount>;

template <typename Value, std::size_t kCount>
const char* text_of(const EnumTexts<Value, kCount>& table, Value value) {
  for (const auto& [known, text] : table)
    if (known == value) return text;
  broken_invariant("a value of the enumeration", __FILE__, __LINE__);
}

template <typename Value, std::size_t kCount>
std::optional<Value> find_text(const EnumTexts<Value, kCount>& table, const std::string& text) {
  for (const auto& [value, known] : table)
    if (text == known) return value;
  return std::nullopt;
}

// Throws std::invalid_argument: "\"up\" is not a goal".
template <typename Value, std::size_t kCount>
Value value_of(const EnumTexts<Value, kCount>& table, const std::string& text, const char* what) {
  if (const auto value = find_text(table, text)) return *value;
  throw std::invalid_argument("\"" + text + "\" is not a " + what);
}

}  // namespace tune

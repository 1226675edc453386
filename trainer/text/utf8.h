#pragma once
// Characters of UTF-8 texts.
#include <cstddef>
#include <string>
#include <string_view>

namespace tune::trainer::text {

// The text with U+FFFD for what is no UTF-8: one for each maximal part of a character, as the Unicode
// standard (section 3.9) and Python's errors="replace" have it.
std::string valid_utf8(std::string_view text);
// The bytes of the character that begins at `at`, 0 where none does.
std::size_t bytes_of_character(std::string_view text, std::size_t at);

// The character that begins at `at`, and how long it is. The text is valid UTF-8 and goes on at `at`.
struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};
inline Character character_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xE0) return {(first & 0x1FU) << 6 | (byte(1) & 0x3FU), 2};
  if (first < 0xF0) return {(first & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU), 3};
  return {(first & 0x07U) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 | (byte(3) & 0x3FU), 4};
}
// Where the character before `at` begins; `at` is above 0.
inline std::size_t previous_character(std::string_view text, std::size_t at) {
  do --at;
  while ((static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U);
  return at;
}
std::size_t count_characters(std::string_view text);

void append_character(std::string& text, char32_t code);
std::u32string to_characters(std::string_view text);
std::string to_utf8(std::u32string_view characters);

}  // namespace tune::trainer::text

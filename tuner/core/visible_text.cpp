#include "tuner/core/visible_text.h"

#include <algorithm>
#include <cstdio>

#include "tuner/core/characters.h"

namespace tune {
namespace {

std::string escape(unsigned code) {
  if (code == '\n') return "\\n";
  if (code == '\t') return "\\t";
  if (code == '\r') return "\\r";
  char text[8];
  std::snprintf(text, sizeof(text), "\\u%04x", code & 0xFFFFu);
  return text;
}

std::string escaped_byte(unsigned byte) {
  char text[8];
  std::snprintf(text, sizeof(text), "\\x%02x", byte & 0xFFu);
  return text;
}

// How many bytes the first character takes; 0 where it is not UTF-8.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : 4;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if (at(i) < 0x80 || at(i) > 0xBF) return 0;
  // What is written longer than it needs to be, halves of UTF-16, and what lies beyond Unicode.
  if ((lead == 0xE0 && at(1) < 0xA0) || (lead == 0xED && at(1) > 0x9F)) return 0;
  if ((lead == 0xF0 && at(1) < 0x90) || (lead == 0xF4 && at(1) > 0x8F)) return 0;
  return length;
}

// Of up to three bytes.
unsigned code_of(std::string_view character) {
  const auto bits = [&](std::size_t i) { return static_cast<unsigned char>(character[i]) & 0x3Fu; };
  if (character.size() == 1) return static_cast<unsigned char>(character[0]);
  if (character.size() == 2) return (static_cast<unsigned char>(character[0]) & 0x1Fu) << 6 | bits(1);
  return (static_cast<unsigned char>(character[0]) & 0x0Fu) << 12 | bits(1) << 6 | bits(2);
}

// What turns the direction of the text around it (U+202A to U+202E, U+2066 to U+2069), so that "gpj.x" reads
// "x.jpg".
bool turns_direction(std::string_view character) {
  if (character.size() != 3) return false;
  const unsigned code = code_of(character);
  return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

// Controls, those of C1 (U+0080 to U+009F) too, some of which terminals obey like ESC sequences; and turns of
// direction.
bool is_obeyed(std::string_view character) {
  if (character.size() > 3) return false;
  const unsigned code = code_of(character);
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || turns_direction(character);
}

}  // namespace

std::string visible_text(std::string_view text, LineBreaks breaks) {
  std::string visible;
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    const std::string_view character = text.substr(0, utf8_length(text));
    if (character.empty())
      visible += escaped_byte(byte);
    else if (is_obeyed(character) && !(byte == '\n' && breaks == LineBreaks::kKeep))
      visible += escape(code_of(character));
    else
      visible += character;
    text.remove_prefix(std::max<std::size_t>(character.size(), 1));
  }
  return visible;
}

std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && continues_character(text[most])) --most;
  return std::string(text.substr(0, most)) + "...";
}

std::string one_line(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::string_view character =
        text.substr(0, std::max<std::size_t>(utf8_length(text), 1));  // or a byte that is not UTF-8
    if (utf8_length(text) == 0 || !is_obeyed(character))
      clean += character;
    else if (turns_direction(character))
      clean += escape(code_of(character));
    else
      clean += ' ';
    text.remove_prefix(character.size());
  }
  return clean;
}

// Through the JSON library, which knows what UTF-8 allows.
std::string valid_line(std::string_view text) {
  const std::string line = one_line(text);
  return Json::parse(Json(line).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

std::string html_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : valid_line(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 200;
  return OrderedJson(shortened(text, kShown)).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string describe_value(const OrderedJson& value) {
  constexpr std::size_t kShown = 60;
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (value.is_null()) return "null";
  if (value.is_string()) return "the text " + in_quotes(value.get<std::string>().substr(0, kShown));
  if (value.is_number()) return "the number " + argument_text(Json(value));
  return value.dump();
}

}  // namespace tune

#include "tuner/core/visible_text.h"

#include <cstdio>

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

}  // namespace

std::string visible_text(std::string_view text, LineBreaks breaks) {
  std::string visible;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0u;
    // C1 takes two bytes in UTF-8: C2 80 to C2 9F.
    const bool is_c1 = byte == 0xC2 && next >= 0x80 && next < 0xA0;
    if (is_c1) ++i;
    if (is_c1)
      visible += escape(next);
    else if ((byte < 0x20 || byte == 0x7F) && !(byte == '\n' && breaks == LineBreaks::kKeep))
      visible += escape(byte);
    else
      visible += text[i];
  }
  return visible;
}

std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return std::string(text.substr(0, most)) + "...";
}

std::string one_line(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080..U+009F, the C1 controls, are two bytes in UTF-8; terminals obey some of them like ESC
    // sequences.
    const bool c1 = byte == 0xC2u && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0u;
    if (c1) ++i;
    clean += byte < 0x20u || byte == 0x7Fu || c1 ? ' ' : text[i];
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

#include "tuner/report/page/escape.h"

#include <cctype>

namespace tune::report {
namespace {

constexpr auto kReplace = Json::error_handler_t::replace;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// An underscore within a word is none of Markdown's markup.
bool is_within_word(const std::string& text, std::size_t i) {
  return i > 0 && i + 1 < text.size() && is_word(text[i - 1]) && is_word(text[i + 1]);
}

}  // namespace

std::string markdown_escaped(std::string_view text) {
  constexpr std::string_view kMarkup = "\\`*_[]|~#!";
  const std::string line = valid_line(text);
  std::string escaped;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    // Tags and character references are HTML's, which Markdown passes through.
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else {
      const bool is_markup = kMarkup.find(c) != std::string_view::npos;
      if (is_markup && !(c == '_' && is_within_word(line, i))) escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

std::string script_json(const Json& json) {
  std::string text;
  for (const char c : json.dump(-1, ' ', false, kReplace)) {
    // Outside strings JSON has none of these.
    if (c == '<')
      text += "\\u003c";
    else if (c == '>')
      text += "\\u003e";
    else
      text += c;
  }
  return text;
}

}  // namespace tune::report

#include "tuner/http/route_table.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "tuner/core/characters.h"

namespace tune::http {
namespace {

int hexadecimal(char c) {
  if (is_digit(c)) return c - '0';
  const char low = lower_case(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// Decoded once. What a decoded text still holds of percent signs is text.
std::string decoded(std::string_view text, bool plus_is_space, const char* place) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const bool is_whole = text.size() - i > 2;
      const int high = is_whole ? hexadecimal(text[i + 1]) : -1,
                low = is_whole ? hexadecimal(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        throw HttpError(400, std::string("the ") + place + " holds a % without two hexadecimal digits");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

bool has_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> pieces;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(at, begin), text.size());
    pieces.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return pieces;
}

// The name in "{name}"; nullopt for a text that stands for itself.
std::optional<std::string_view> name_of(std::string_view piece) {
  if (piece.size() < 2 || piece.front() != '{' || piece.back() != '}') return std::nullopt;
  return piece.substr(1, piece.size() - 2);
}

// What stood for the names of the pattern; nullopt where the path is another one.
std::optional<std::vector<std::pair<std::string, std::string>>> matched(
    std::string_view pattern, const std::vector<std::string>& parts) {
  const std::vector<std::string_view> pieces = split(pattern.substr(1), '/');
  if (pieces.size() != parts.size()) return std::nullopt;
  std::vector<std::pair<std::string, std::string>> found;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (const auto name = name_of(pieces[i])) {
      if (parts[i].empty()) return std::nullopt;
      found.emplace_back(*name, parts[i]);
    } else if (pieces[i] != parts[i]) {
      return std::nullopt;
    }
  }
  return found;
}

}  // namespace

std::vector<std::string> path_parts(std::string_view path) {
  if (path.empty() || path.front() != '/') throw HttpError(400, "the path does not begin with /");
  std::vector<std::string> parts;
  for (const std::string_view piece : split(path.substr(1), '/')) {
    std::string part = decoded(piece, /*plus_is_space=*/false, "path");
    if (part == "." || part == ".." || part.find('/') != std::string::npos || has_controls(part) ||
        !is_utf8(part))
      throw HttpError(400, "the path holds a part that names nothing");
    parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<std::pair<std::string, std::string>> query_parameters(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  for (const std::string_view piece : split(query, '&')) {
    if (piece.empty()) continue;
    const std::size_t equals = std::min(piece.find('='), piece.size());
    std::string name = decoded(piece.substr(0, equals), /*plus_is_space=*/true, "query");
    std::string value = equals < piece.size()
                            ? decoded(piece.substr(equals + 1), /*plus_is_space=*/true, "query")
                            : std::string();
    if (has_controls(name) || has_controls(value) || !is_utf8(name) || !is_utf8(value))
      throw HttpError(400, "the query holds control characters, or bytes that are not UTF-8");
    parameters.emplace_back(std::move(name), std::move(value));
  }
  return parameters;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      char code[4];
      std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += code;
    }
  }
  return out;
}

RouteMatch match_route(const std::vector<Route>& routes, std::string_view method,
                       const std::vector<std::string>& parts) {
  RouteMatch match;
  for (const Route& route : routes) {
    auto found = matched(route.pattern, parts);
    if (!found) continue;
    match.allowed.push_back(route.method);
    if (match.route != nullptr || route.method != method) continue;
    match.route = &route;
    match.parts = std::move(*found);
  }
  return match;
}

}  // namespace tune::http

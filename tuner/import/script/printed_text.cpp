#include "tuner/import/script/printed_text.h"

#include <algorithm>

#include "tuner/core/characters.h"

namespace tune::script {
namespace {

using Pieces = std::vector<Piece>;

void add_text(Pieces& pieces, std::string_view text) {
  if (text.empty()) return;
  if (pieces.empty() || pieces.back().is_value) pieces.emplace_back();
  pieces.back().text += text;
}

// The end of an expression between braces: its "}", or where its format begins.
std::size_t end_of_field(std::string_view text, std::size_t at, bool stops_at_format) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"' || c == '\'')
      at = std::min(text.find(c, at + 1), text.size() - 1);
    else if (c == '(' || c == '[' || c == '{')
      ++depth;
    else if (depth > 0 && (c == ')' || c == ']' || c == '}'))
      --depth;
    else if (depth == 0 && (c == '}' || (stops_at_format && c == ':')))
      break;
  }
  return at;
}

// "loss {loss:.4f}": of f"..." and of .format().
void add_braced(Pieces& pieces, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if ((c == '{' || c == '}') && at + 1 < text.size() && text[at + 1] == c) {
      add_text(pieces, text.substr(at, 1));
      at += 2;
    } else if (c == '{') {
      const std::size_t end = end_of_field(text, at + 1, true);
      std::string expression(text.substr(at + 1, end - at - 1)), format;
      std::size_t close = end;
      if (end < text.size() && text[end] == ':') {
        close = end_of_field(text, end + 1, false);
        format = text.substr(end + 1, close - end - 1);
      }
      if (const std::size_t conversion = expression.rfind('!'); conversion + 2 == expression.size())
        expression.erase(conversion);
      if (expression.ends_with('=')) {  // {loss=} prints "loss=" too
        add_text(pieces, expression);
        expression.pop_back();
      }
      pieces.push_back({true, expression, format});
      at = close + 1;
    } else {
      add_text(pieces, text.substr(at, 1));
      ++at;
    }
  }
}

// "loss %.4f": of the operator % and of logging.
void add_percented(Pieces& pieces, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '%') {
      add_text(pieces, text.substr(at++, 1));
      continue;
    }
    const std::size_t end = text.find_first_not_of("0123456789.+- #*", at + 1);
    if (end == std::string_view::npos) return;
    if (text[end] == '%')
      add_text(pieces, "%");
    else if (text[end] == '(')  // %(name)s
      return;
    else
      pieces.push_back({true, "", std::string(text.substr(at + 1, end - at))});
    at = end + 1;
  }
}

bool is_text(const Token& token) { return token.kind == TokenKind::kText; }

// How many of the tokens are texts, which Python joins.
std::size_t leading_texts(Tokens tokens) {
  return static_cast<std::size_t>(std::find_if_not(tokens.begin(), tokens.end(), is_text) - tokens.begin());
}

// Gives the values of "..." % (a, b) and .format(a, b) their expressions.
void name_values(Pieces& pieces, const std::vector<Tokens>& values) {
  std::size_t next = 0;
  for (Piece& piece : pieces)
    if (piece.is_value && piece.text.find_first_not_of("0123456789") == std::string::npos &&
        next < values.size())
      piece.text = text_of(values[next++]);
}

Tokens without_brackets(Tokens tokens) {
  return tokens.size() >= 2 && is_sign(tokens.front(), "(") && is_sign(tokens.back(), ")")
             ? tokens.subspan(1, tokens.size() - 2)
             : tokens;
}

// One expression that is a text, however it is made. Empty for all else.
Pieces pieces_of(Tokens tokens) {
  Pieces pieces;
  tokens = without_brackets(tokens);
  const std::size_t texts = leading_texts(tokens);
  if (texts == 0) return pieces;
  const Tokens rest = tokens.subspan(texts);
  const bool is_percented = !rest.empty() && is_sign(rest[0], "%"),
             is_formatted = rest.size() >= 3 && is_sign(rest[0], ".") && is_name(rest[1], "format") &&
                            is_sign(rest[2], "(");
  if (!rest.empty() && !is_percented && !is_formatted) return pieces;
  for (const Token& token : tokens.first(texts)) {
    if (is_percented)
      add_percented(pieces, token.text);
    else if (is_formatted || token.is_formatted)
      add_braced(pieces, token.text);
    else
      add_text(pieces, token.text);
  }
  if (is_percented) name_values(pieces, split_at(without_brackets(rest.subspan(1)), ","));
  if (is_formatted) name_values(pieces, split_at(without_brackets(rest.subspan(2)), ","));
  return pieces;
}

bool is_logging(const Call& call) { return call.function != "print" && call.function != "write"; }

}  // namespace

std::vector<Piece> printed_by(const Call& call) {
  const std::vector<Tokens> values = call.positional();
  if (values.empty() || call.find("sep") != nullptr || call.find("*") != nullptr) return {};
  if (is_logging(call) && values.size() > 1) {  // logger.info("loss %.4f", loss)
    Pieces pieces;
    for (std::size_t i = 0; i < leading_texts(values[0]); ++i) add_percented(pieces, values[0][i].text);
    name_values(pieces, {values.begin() + 1, values.end()});
    return pieces;
  }
  Pieces pieces;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) add_text(pieces, " ");
    const Pieces own = pieces_of(values[i]);
    for (const Piece& piece : own)
      if (piece.is_value)
        pieces.push_back(piece);
      else
        add_text(pieces, piece.text);
    if (own.empty() && !values[i].empty()) pieces.push_back({true, text_of(values[i]), ""});
  }
  return pieces;
}

}  // namespace tune::script

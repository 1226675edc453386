#pragma once
// Python source as tokens: as much of its lexical rules as it takes to find calls and read literals in it
// (https://docs.python.org/3/reference/lexical_analysis.html).
#include <string>
#include <string_view>
#include <vector>

namespace tune::script {

enum class TokenKind { kName, kNumber, kText, kSign };

struct Token {
  TokenKind kind = TokenKind::kSign;
  std::string text;           // as written; of a text what it means, of a formatted one with its braces
  bool is_formatted = false;  // f"..."
  int line = 0;               // from 1
};

// Comments and line ends are left out. Never fails: a text that is not closed ends with its line, and a
// character that begins no token is a sign.
std::vector<Token> tokens_of(std::string_view source);

bool is_sign(const Token& token, std::string_view sign);
bool is_name(const Token& token, std::string_view name);

}  // namespace tune::script

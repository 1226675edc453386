#pragma once
// What is wrong with a text that is not JSON, in the words of the person who wrote it.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tune {

// What the parser knew when it gave up.
struct SyntaxFailure {
  std::string_view text;                    // the whole document
  std::string_view source = "file";         // what it is to a person: "file", "line"
  std::size_t token_end = 0;                // end of the last token that was a key, a value or a bracket
  std::size_t consumed = 0;                 // bytes that the parser had read
  bool after_key = false;                   // the last such token was a key
  std::optional<std::size_t> open_bracket;  // offset of the innermost open '{' or '['
  std::string parser_message;               // the parser's own words
  bool is_spec = false;                     // a person writes it by hand, as an object
};

struct SyntaxMistake {
  std::size_t offset = 0;  // where to point
  std::string message, hint;
};

SyntaxMistake explain_syntax(const SyntaxFailure& failure);
SyntaxMistake text_after_end(std::size_t offset);

}  // namespace tune

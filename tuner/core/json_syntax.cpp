#include "tuner/core/json_syntax.h"
#include "tuner/core/characters.h"
#include "tuner/core/visible_text.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tune {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

bool is_word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string in_marks(std::string_view text) {
  constexpr std::size_t kShown = 24;
  return "\"" + visible_text(shortened(text, kShown)) + "\"";
}

struct ForeignWord {
  std::string_view word, cure;
};
// Words of Python and JavaScript that people write into JSON.
constexpr std::array<ForeignWord, 9> kForeignWords{
    {{"True", "write true"},
     {"False", "write false"},
     {"None", "write null"},
     {"undefined", "write null, or leave the key out"},
     {"NaN",
      "JSON has no NaN, which Python's json.dump writes all the same; write a number, or leave the key out"},
     {"nan", "JSON has no NaN; write a number, or leave the key out"},
     {"Infinity",
      "JSON has no infinity, which Python's json.dump writes all the same; write a number, or leave the key "
      "out"},
     {"inf", "JSON has no infinity; write a number, or leave the key out"},
     {"Inf", "JSON has no infinity; write a number, or leave the key out"}}};

// Explains one failure; lives for one call.
class Explainer {
 public:
  explicit Explainer(const SyntaxFailure& failure)
      : failure_(failure), text_(failure.text), start_(find_start()) {
    const std::size_t last =
        start_ == 0 ? std::string_view::npos : text_.find_last_not_of(kBlank, start_ - 1);
    if (last != std::string_view::npos) before_ = text_[last], before_offset_ = last;
  }

  SyntaxMistake explain() const {
    if (text_.find_first_not_of(kBlank) == std::string_view::npos)
      return {0, the_source() + " is empty", failure_.is_spec ? "a spec starts with { and ends with }" : ""};
    if (said("number overflow")) return {start_, "this number is too large", "the largest is about 1.8e308"};
    if (said("invalid string")) return explain_string();
    if (start_ >= text_.size()) return explain_end();
    if (!failure_.open_bracket && failure_.token_end > 0) return text_after_end(start_);
    return explain_token();
  }

 private:
  std::string the_source() const { return "the " + std::string(failure_.source); }
  bool said(std::string_view words) const { return failure_.parser_message.find(words) != std::string::npos; }

  // The first character of the token that the parser stumbled over.
  std::size_t find_start() const {
    const std::size_t end = std::min(failure_.consumed, text_.size());
    const std::size_t token = text_.find_first_not_of(" \t\r\n,:", failure_.token_end);
    if (token != std::string_view::npos && token < end) return token;
    if (failure_.consumed > failure_.token_end && end > 0) {
      const std::size_t last = text_.find_last_not_of(kBlank, end - 1);
      // A stray comma or colon is a token of its own; at the end of the file nothing is left to point at.
      if (last != std::string_view::npos && last + 1 == end && last >= failure_.token_end && !ends_here())
        return last;
    }
    return text_.size();
  }
  bool ends_here() const { return said("unexpected end of input"); }

  char opener() const { return failure_.open_bracket ? text_[*failure_.open_bracket] : '\0'; }
  bool in_object() const { return opener() == '{'; }
  bool expects_key() const {
    return in_object() && !failure_.after_key && (before_ == '{' || before_ == ',');
  }
  bool follows_value() const {
    return failure_.open_bracket && !failure_.after_key && before_ != ',' && before_ != ':' &&
           before_ != '{' && before_ != '[';
  }
  std::string opened_where() const {
    const auto line =
        1 +
        std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(*failure_.open_bracket), '\n');
    return std::string("the \"") + opener() + "\" of line " + std::to_string(line);
  }
  std::string_view word_at(std::size_t offset) const {
    std::size_t end = offset;
    while (end < text_.size() && is_word_character(text_[end])) ++end;
    return text_.substr(offset, end - offset);
  }

  SyntaxMistake explain_end() const {
    const std::size_t last = text_.find_last_not_of(kBlank);
    if (!failure_.open_bracket) return {last, the_source() + " ends too early", ""};
    return {last, the_source() + " ends before " + opened_where() + " is closed",
            std::string("add ") + (in_object() ? "}" : "]")};
  }

  SyntaxMistake explain_string() const {
    const std::size_t at = failure_.consumed == 0 ? 0 : std::min(failure_.consumed, text_.size()) - 1;
    if (said("forbidden character after backslash"))
      return {at - 1, "\"" + std::string(text_.substr(at - 1, 2)) + "\" is not an escape that JSON knows",
              "write two backslashes for one: \"\\" + std::string(text_.substr(at - 1, 2)) + "\""};
    if (said("UTF-8"))
      return {at, "this is not UTF-8", failure_.source == "file" ? "save the file as UTF-8" : "write UTF-8"};
    if (said("missing closing quote")) return {start_, "this text is not closed", "add \" at its end"};
    if (said("control character")) return explain_control(at);
    if (said("\\u") || said("surrogate"))
      return {at, "this \\u escape is not complete",
              "it takes four hexadecimal digits, and characters beyond FFFF take two escapes"};
    return {start_, "this text is not valid", ""};
  }

  SyntaxMistake explain_control(std::size_t at) const {
    if (text_[at] == '\n' || text_[at] == '\r')
      return {start_, "this text is not closed in its line",
              "add \" at its end; a line break within a text is \\n"};
    return {at, "there is a control character within a text", "write \\t for a tab, \\u00XX for others"};
  }

  SyntaxMistake explain_token() const {
    const char c = text_[start_];
    if (c == '}' || c == ']') return explain_closing(c);
    if (c == ',') return {start_, "there is a comma where a " + expected() + " belongs", "remove one comma"};
    if (c == ':') return {start_, "there is a colon where a " + expected() + " belongs", ""};
    if (c == '/' || c == '#') return {start_, "JSON has no comments", "remove it"};
    if (c == '\'') return {start_, "texts stand in double quotes, not single ones", "write \" in place of '"};
    if (failure_.after_key && before_ != ':')
      return {start_, "a colon is missing before this", "write \"key\": value"};
    if (is_digit(c) && start_ > 0 && text_[start_ - 1] == '0')
      return {start_ - 1, "a number starts with 0 only if it is 0 or has a point next",
              "leave the leading 0 out"};
    if (follows_value()) return {start_, "a comma is missing before this", ""};
    if (expects_key()) return explain_key(c);
    if (is_digit(c) || c == '-' || c == '+' || c == '.') return explain_number(c);
    if (is_word_character(c)) return explain_word();
    return {start_, in_marks(text_.substr(start_, 1)) + " is not expected here", ""};
  }
  std::string expected() const { return in_object() && !failure_.after_key ? "key" : "value"; }

  SyntaxMistake explain_closing(char c) const {
    if (before_ == ',')
      return {before_offset_, std::string("there is a comma before the closing ") + c, "remove the comma"};
    if (before_ == ':' || failure_.after_key) return {start_, "the key before this has no value", ""};
    if (!failure_.open_bracket)
      return {start_, std::string("there is nothing that this ") + c + " closes", "remove it"};
    return {start_, std::string("this ") + c + " cannot close " + opened_where(),
            std::string("close it with ") + (in_object() ? "}" : "]")};
  }

  SyntaxMistake explain_key(char c) const {
    if (!is_word_character(c)) return {start_, "a key in double quotes belongs here", ""};
    const std::string word(word_at(start_));
    return {start_, "the key " + in_marks(word) + " stands without double quotes", "write " + in_marks(word)};
  }

  SyntaxMistake explain_number(char c) const {
    std::size_t end = text_.find_first_of(" \t\r\n,]}", start_);
    const std::string_view token = text_.substr(start_, end == std::string_view::npos ? end : end - start_);
    for (const ForeignWord& foreign : kForeignWords)
      if (token.substr(1) == foreign.word)
        return {start_, in_marks(token) + " is not a JSON value", std::string(foreign.cure)};
    std::string hint = "a number looks like 12, -0.5 or 1e-4";
    if (c == '+') hint = "leave the + out";
    if (c == '.') hint = "write 0 before the point";
    return {start_, in_marks(token) + " is not a JSON number", hint};
  }

  SyntaxMistake explain_word() const {
    const std::string_view word = word_at(start_);
    for (const ForeignWord& foreign : kForeignWords)
      if (word == foreign.word)
        return {start_, in_marks(word) + " is not a JSON value", std::string(foreign.cure)};
    return {start_, in_marks(word) + " is not a JSON value", "a text stands in double quotes"};
  }

  const SyntaxFailure& failure_;
  std::string_view text_;
  std::size_t start_;
  char before_ = '\0';  // the last visible character before the token
  std::size_t before_offset_ = 0;
};

}  // namespace

SyntaxMistake explain_syntax(const SyntaxFailure& failure) { return Explainer(failure).explain(); }

SyntaxMistake text_after_end(std::size_t offset) {
  return {offset, "there is text after the end of the document",
          "remove it, or check for one bracket too many before it"};
}

}  // namespace tune

#include "tuner/import/script/python_tokens.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "tuner/core/characters.h"

namespace tune::script {
namespace {

// The longest first.
constexpr std::array<std::string_view, 8> kSigns{"**=", "//=", "**", "//", "<<", ">>", "->", ":="};

// Letters of other alphabets are taken for what they are: parts of names.
bool begins_name(char c) { return is_letter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool continues_name(char c) { return begins_name(c) || is_digit(c); }

struct Prefix {
  bool is_raw = false, is_formatted = false;
};

// One pass over a source. Lives for one call of tokens_of().
class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) next();
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }
  bool stands_here(std::string_view text) const { return source_.substr(at_, text.size()) == text; }

  void next() {
    const char c = peek();
    if (c == '\n') ++line_;
    if (c == '\n' || c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\\')
      ++at_;
    else if (c == '#')
      at_ = std::min(source_.find('\n', at_), source_.size());
    else if (const std::size_t prefix = prefix_length(); peek(prefix) == '"' || peek(prefix) == '\'')
      read_text(prefix);
    else if (begins_name(c))
      read_while(TokenKind::kName, continues_name);
    else if (is_digit(c) || (c == '.' && is_digit(peek(1))))
      read_number();
    else
      read_sign();
  }

  // Of letters that may stand before a quote: r, b, u, f in any case, two at most.
  std::size_t prefix_length() const {
    std::size_t length = 0;
    while (length < 2 && std::string_view("rbuft").find(lower_case(peek(length))) != std::string_view::npos)
      ++length;
    return length;
  }

  template <typename Condition>
  void read_while(TokenKind kind, Condition condition) {
    const std::size_t begin = at_;
    while (at_ < source_.size() && condition(source_[at_])) ++at_;
    tokens_.push_back({kind, std::string(source_.substr(begin, at_ - begin)), false, line_});
  }

  void read_number() {
    const std::size_t begin = at_;
    const bool is_hexadecimal = peek() == '0' && lower_case(peek(1)) == 'x';
    while (continues_name(peek()) || peek() == '.' ||
           ((peek() == '+' || peek() == '-') && !is_hexadecimal && lower_case(source_[at_ - 1]) == 'e'))
      ++at_;
    std::string text(source_.substr(begin, at_ - begin));
    std::erase(text, '_');
    tokens_.push_back({TokenKind::kNumber, std::move(text), false, line_});
  }

  void read_sign() {
    const auto sign =
        std::find_if(kSigns.begin(), kSigns.end(), [&](std::string_view each) { return stands_here(each); });
    const std::size_t length = sign == kSigns.end() ? 1 : sign->size();
    tokens_.push_back({TokenKind::kSign, std::string(source_.substr(at_, length)), false, line_});
    at_ += length;
  }

  void read_text(std::size_t prefix_length) {
    Prefix prefix;
    for (std::size_t i = 0; i < prefix_length; ++i, ++at_) {
      prefix.is_raw |= lower_case(peek()) == 'r';
      prefix.is_formatted |= lower_case(peek()) == 'f';
    }
    const char quote = peek();
    const bool is_long = peek(1) == quote && peek(2) == quote;
    const std::string_view end = source_.substr(at_, is_long ? 3 : 1);
    at_ += end.size();
    Token token{TokenKind::kText, {}, prefix.is_formatted, line_};
    int depth = 0;  // of braces in a formatted text, where quotes may stand
    while (at_ < source_.size() && (depth > 0 || !stands_here(end))) {
      if (peek() == '\n' && !is_long) break;
      if (peek() == '\n') ++line_;
      if (prefix.is_formatted) depth = std::max(0, depth + change_of_depth(depth));
      if (depth > 0 && (peek() == '"' || peek() == '\''))
        copy_quoted(token.text);
      else if (peek() == '\\' && depth == 0)
        read_escape(prefix.is_raw, token.text);
      else
        token.text += source_[at_++];
    }
    if (stands_here(end)) at_ += end.size();
    tokens_.push_back(std::move(token));
  }

  // By the character here. A doubled brace outside of an expression is a brace; its second half is passed
  // over.
  int change_of_depth(int depth) {
    const char c = peek();
    if (depth == 0 && (c == '{' || c == '}') && peek(1) == c) {
      doubled_ = !doubled_;
      return 0;
    }
    if (doubled_) {
      doubled_ = false;
      return 0;
    }
    return c == '{' ? 1 : c == '}' ? -1 : 0;
  }

  // A text within the braces of a formatted one, as it stands.
  void copy_quoted(std::string& text) {
    const char quote = peek();
    do text += source_[at_++];
    while (at_ < source_.size() && peek() != quote && peek() != '\n');
    if (peek() == quote) text += source_[at_++];
  }

  void read_escape(bool is_raw, std::string& text) {
    const char c = peek(1);
    if (c == '\n') ++line_;
    if (is_raw || at_ + 1 >= source_.size()) {
      text += source_[at_++];
      if (at_ < source_.size()) text += source_[at_++];
      return;
    }
    at_ += 2;
    constexpr std::string_view kWritten = "ntr\\'\"", kMeant = "\n\t\r\\'\"";
    if (const std::size_t known = kWritten.find(c); known != std::string_view::npos) {
      text += kMeant[known];
    } else if (c == 'x') {
      unsigned code = 0;
      std::from_chars(source_.data() + at_, source_.data() + std::min(at_ + 2, source_.size()), code, 16);
      if (code > 0 && code < 0x80) text += static_cast<char>(code);  // others are of no use here
      at_ = std::min(at_ + 2, source_.size());
    } else if (c != '\n') {  // which goes on with the line
      text += '\\';
      text += c;
    }
  }

  std::string_view source_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool doubled_ = false;  // the brace before was the first of two
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view source) { return Lexer(source).run(); }

bool is_sign(const Token& token, std::string_view sign) {
  return token.kind == TokenKind::kSign && token.text == sign;
}

bool is_name(const Token& token, std::string_view name) {
  return token.kind == TokenKind::kName && token.text == name;
}

}  // namespace tune::script

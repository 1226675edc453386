#include "tuner/import/script/python_calls.h"

#include <algorithm>
#include <cmath>

namespace tune::script {
namespace {

bool opens(const Token& token) { return is_sign(token, "(") || is_sign(token, "[") || is_sign(token, "{"); }
bool closes(const Token& token) { return is_sign(token, ")") || is_sign(token, "]") || is_sign(token, "}"); }

// The place of the bracket that closes the one at `open`; the number of tokens where none does.
std::size_t closing(Tokens tokens, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < tokens.size(); ++i) {
    if (opens(tokens[i])) ++depth;
    if (closes(tokens[i]) && --depth == 0) return i;
  }
  return tokens.size();
}

CallArgument argument_of(Tokens tokens) {
  if (is_sign(tokens[0], "*") || is_sign(tokens[0], "**")) return {tokens[0].text, tokens.subspan(1)};
  if (tokens.size() >= 2 && tokens[0].kind == TokenKind::kName && is_sign(tokens[1], "=") &&
      (tokens.size() == 2 || !is_sign(tokens[2], "=")))
    return {tokens[0].text, tokens.subspan(2)};
  return {"", tokens};
}

// What stands before the function at `at`: "a.b" of a.b.name.
std::string receiver_of(Tokens tokens, std::size_t at) {
  std::string receiver;
  while (at >= 1 && is_sign(tokens[at - 1], ".")) {
    if (at < 2 || tokens[at - 2].kind != TokenKind::kName) return "?";
    receiver = tokens[at - 2].text + (receiver.empty() ? "" : "." + receiver);
    at -= 2;
  }
  return receiver;
}

// Reads literals by recursive descent. Lives for one call of literal_of().
class LiteralReader {
 public:
  explicit LiteralReader(Tokens tokens) : tokens_(tokens) {}

  std::optional<OrderedJson> whole() {
    std::optional<OrderedJson> value = sum();
    return value && at_ == tokens_.size() ? value : std::nullopt;
  }

 private:
  using Value = std::optional<OrderedJson>;
  static constexpr int kDeepest = 40;  // signs, powers and brackets within each other

  bool take(std::string_view sign) {
    if (at_ == tokens_.size() || !is_sign(tokens_[at_], sign)) return false;
    ++at_;
    return true;
  }

  // Whole where both are, and nothing is lost by it.
  static Value number(double value, bool is_whole) {
    if (!std::isfinite(value)) return std::nullopt;
    constexpr double kLargest = 9007199254740992;  // 2^53
    if (is_whole && std::trunc(value) == value && std::abs(value) <= kLargest)
      return OrderedJson(static_cast<std::int64_t>(value));
    return OrderedJson(value);
  }

  template <typename Operation>
  static Value combined(const Value& a, const Value& b, Operation operation, bool keeps_whole = true) {
    if (!a || !b || !a->is_number() || !b->is_number()) return std::nullopt;
    return number(operation(a->get<double>(), b->get<double>()),
                  keeps_whole && a->is_number_integer() && b->is_number_integer());
  }

  Value sum() {
    Value value = product();
    while (value) {
      if (take("+"))
        value = combined(value, product(), [](double a, double b) { return a + b; });
      else if (take("-"))
        value = combined(value, product(), [](double a, double b) { return a - b; });
      else
        break;
    }
    return value;
  }

  Value product() {
    Value value = signed_power();
    while (value) {
      if (take("*"))
        value = combined(value, signed_power(), [](double a, double b) { return a * b; });
      else if (take("//"))
        value = combined(value, signed_power(), [](double a, double b) { return std::floor(a / b); });
      else if (take("/"))
        value = combined(
            value, signed_power(), [](double a, double b) { return a / b; }, false);
      else
        break;
    }
    return value;
  }

  Value signed_power() {
    if (++depth_ > kDeepest) return std::nullopt;
    Value value = signed_value();
    --depth_;
    return value;
  }

  Value signed_value() {
    if (take("+")) return signed_power();
    if (take("-")) return combined(OrderedJson(0), signed_power(), [](double a, double b) { return a - b; });
    Value value = atom();
    if (value && take("**")) {
      const Value exponent = signed_power();
      const bool is_whole = exponent && exponent->is_number() && exponent->get<double>() >= 0;
      value = combined(
          value, exponent, [](double a, double b) { return std::pow(a, b); }, is_whole);
    }
    return value;
  }

  Value atom() {
    if (at_ == tokens_.size()) return std::nullopt;
    const Token& token = tokens_[at_];
    if (token.kind == TokenKind::kText) return text();
    if (take("[")) return list("]");
    if (take("{")) return list("}");
    if (take("(")) return list(")");
    ++at_;
    if (token.kind == TokenKind::kNumber) return written_number(token.text);
    if (is_name(token, "True") || is_name(token, "False")) return OrderedJson(token.text == "True");
    if (is_name(token, "None")) return OrderedJson();
    return std::nullopt;
  }

  Value text() {
    std::string joined;
    for (; at_ < tokens_.size() && tokens_[at_].kind == TokenKind::kText; ++at_) {
      if (tokens_[at_].is_formatted && tokens_[at_].text.find('{') != std::string::npos) return std::nullopt;
      joined += tokens_[at_].text;
    }
    return OrderedJson(joined);
  }

  // Behind its opening bracket. A single value in round ones is that value.
  Value list(std::string_view end) {
    OrderedJson values = OrderedJson::array();
    bool has_comma = false;
    while (!take(end)) {
      const Value value = sum();
      if (!value) return std::nullopt;
      values.push_back(*value);
      if (take(end)) break;
      if (!take(",")) return std::nullopt;
      has_comma = true;
    }
    return end == ")" && !has_comma && values.size() == 1 ? values[0] : values;
  }

  static Value written_number(const std::string& text) {
    try {
      std::size_t end = 0;
      const bool is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
      const bool is_whole = is_hexadecimal || text.find_first_of(".eE") == std::string::npos;
      const double value = std::stod(text, &end);
      return end == text.size() ? number(value, is_whole) : std::nullopt;
    } catch (const std::exception&) {  // too large, or no number of these kinds: 0b11
      return std::nullopt;
    }
  }

  Tokens tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

const CallArgument* Call::find(std::string_view keyword) const {
  const auto found = std::find_if(arguments.begin(), arguments.end(),
                                  [&](const CallArgument& each) { return each.keyword == keyword; });
  return found == arguments.end() ? nullptr : &*found;
}

std::vector<Tokens> Call::positional() const {
  std::vector<Tokens> values;
  for (const CallArgument& argument : arguments)
    if (argument.keyword.empty()) values.push_back(argument.value);
  return values;
}

std::vector<Call> calls_of(Tokens tokens, std::span<const std::string_view> functions) {
  std::vector<Call> calls;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i].kind != TokenKind::kName || !is_sign(tokens[i + 1], "(")) continue;
    if (std::find(functions.begin(), functions.end(), tokens[i].text) == functions.end()) continue;
    if (i > 0 && is_name(tokens[i - 1], "def")) continue;
    const std::size_t end = closing(tokens, i + 1);
    Call call{receiver_of(tokens, i), tokens[i].text, {}, end < tokens.size(), tokens[i].line};
    for (const Tokens part : split_at(tokens.subspan(i + 2, end - i - 2), ","))
      if (!part.empty()) call.arguments.push_back(argument_of(part));
    calls.push_back(std::move(call));
  }
  return calls;
}

std::vector<Tokens> split_at(Tokens tokens, std::string_view sign) {
  std::vector<Tokens> parts;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (opens(tokens[i])) ++depth;
    if (closes(tokens[i])) --depth;
    if (depth != 0 || !is_sign(tokens[i], sign)) continue;
    parts.push_back(tokens.subspan(begin, i - begin));
    begin = i + 1;
  }
  parts.push_back(tokens.subspan(begin));
  return parts;
}

std::optional<OrderedJson> literal_of(Tokens tokens) { return LiteralReader(tokens).whole(); }

std::string text_of(Tokens tokens) {
  std::string text;
  bool was_word = false;
  for (const Token& token : tokens) {
    const bool is_word = token.kind == TokenKind::kName || token.kind == TokenKind::kNumber;
    if (is_word && was_word) text += ' ';
    text += token.kind == TokenKind::kText
                ? OrderedJson(token.text).dump(-1, ' ', false, OrderedJson::error_handler_t::replace)
                : token.text;
    if (is_sign(token, ",")) text += ' ';
    was_word = is_word;
  }
  return text;
}

}  // namespace tune::script

#include "tuner/core/shell_text.h"

#include <algorithm>
#include <string_view>

#include "tuner/core/characters.h"

namespace tune {

std::string shell_word(const std::string& argument) {
  const bool is_plain = !argument.empty() && std::all_of(argument.begin(), argument.end(), [](char c) {
    return is_letter_or_digit(c) || std::string_view("_-./=:,+@%").find(c) != std::string_view::npos;
  });
  if (is_plain) return argument;
  std::string quoted = "'";
  for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + '\'';
}

std::string shell_text(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& argument : arguments) text += (text.empty() ? "" : " ") + shell_word(argument);
  return text;
}

}  // namespace tune

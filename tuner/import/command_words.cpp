#include "tuner/import/command_words.h"

#include "tuner/core/error.h"

namespace tune::amt {
namespace {

[[noreturn]] void refuse_shell(char sign) {
  throw Error(ExitCode::kUsage,
              std::string("no shell reads --command, so \"") + sign + "\" would mean nothing in it",
              "put it in quotes if it is meant as text, or name a script");
}

}  // namespace

std::vector<std::string> command_words(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool is_open = false;  // a word has begun, perhaps an empty one in quotes
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool has_next = i + 1 < text.size();
    if (quote != '\0' && c == quote) {
      quote = '\0';
    } else if (c == '\\' && quote != '\'' && has_next &&
               (quote == '\0' || text[i + 1] == '"' || text[i + 1] == '\\')) {
      word += text[++i];
      is_open = true;
    } else if (quote != '\0') {
      word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      is_open = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (is_open) words.push_back(word);
      word.clear();
      is_open = false;
    } else if (std::string("|&;<>$`").find(c) != std::string::npos) {
      refuse_shell(c);
    } else {
      word += c;
      is_open = true;
    }
  }
  if (quote != '\0')
    throw Error(ExitCode::kUsage, std::string("a ") + quote + " of --command is not closed",
                "close it, or write \\" + std::string(1, quote));
  if (is_open) words.push_back(word);
  if (words.empty())
    throw Error(ExitCode::kUsage, "--command names no program", "for example --command 'python3 train.py'");
  return words;
}

}  // namespace tune::amt

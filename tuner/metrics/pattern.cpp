#include "tuner/metrics/pattern.h"

#include <array>
#include <optional>
#include <string_view>

#include "tuner/core/characters.h"
#include "tuner/metrics/regex_objection.h"

namespace tune::metrics {
namespace {

constexpr std::int64_t kPatternMemory = 1 << 20;

// Calls on_parenthesis(position) for each one that is not escaped, quoted or in a bracket expression.
template <typename OnParenthesis>
void for_each_parenthesis(std::string_view regex, OnParenthesis&& on_parenthesis) {
  bool in_brackets = false;
  for (std::size_t i = 0; i < regex.size(); ++i) {
    if (regex.substr(i, 2) == "\\Q") {
      const std::size_t end = regex.find("\\E", i + 2);
      if (end == std::string_view::npos) return;
      i = end + 1;
    } else if (regex[i] == '\\') {
      ++i;
    } else if (in_brackets) {
      if (regex[i] == ']') in_brackets = false;
    } else if (regex[i] == '[') {
      in_brackets = true;
      // A ']' that comes first stands for itself: "[]abc]", "[^]abc]".
      if (regex.substr(i + 1, 1) == "^") ++i;
      if (regex.substr(i + 1, 1) == "]") ++i;
    } else if (regex[i] == '(' || regex[i] == ')') {
      on_parenthesis(i);
    }
  }
}

// Calls on_group(position) for each "(?" that opens a group.
template <typename OnGroup>
void for_each_extended_group(std::string_view regex, OnGroup&& on_group) {
  for_each_parenthesis(regex, [&](std::size_t at) {
    if (regex.substr(at, 2) == "(?") on_group(at);
  });
}

bool is_name_start(char c) { return is_letter(c) || c == '_'; }

bool has_look_around(const std::string& regex) {
  bool found = false;
  for_each_extended_group(regex, [&](std::size_t at) {
    const std::string_view rest = std::string_view(regex).substr(at);
    for (const char* opening : {"(?=", "(?!", "(?<=", "(?<!", "(?>"})
      found = found || rest.starts_with(opening);
  });
  return found;
}

bool has_back_reference(std::string_view regex) {
  for (std::size_t i = 0; i + 1 < regex.size(); ++i) {
    if (regex[i] != '\\') continue;
    if (regex[i + 1] >= '1' && regex[i + 1] <= '9') return true;
    ++i;
  }
  return false;
}

std::string cure_of_syntax_error(const std::string& regex, const RE2& pattern) {
  if (has_look_around(regex))
    return "look-around and atomic groups are not supported, since they cannot be matched in linear time; "
           "write the "
           "text around the number literally and put only the number in parentheses: \"val_loss: (\\\\S+)\"";
  switch (pattern.error_code()) {
    case RE2::ErrorBadEscape:
      if (has_back_reference(regex))
        return "back-references are not supported, since they cannot be matched in linear time; write the "
               "text twice";
      return "double the backslash of a literal one; in JSON each backslash is doubled once more (\"\\\\d\")";
    case RE2::ErrorMissingParen:
    case RE2::ErrorUnexpectedParen:
      return "escape a literal parenthesis: \"\\\\(\" in JSON";
    case RE2::ErrorMissingBracket:
      return "escape a literal bracket: \"\\\\[\" in JSON";
    case RE2::ErrorRepeatArgument:
    case RE2::ErrorRepeatOp:
      return "a repetition needs something before it; escape a literal one: \"\\\\*\" in JSON";
    case RE2::ErrorRepeatSize:
    case RE2::ErrorPatternTooLarge:
      return "use \"*\" or \"+\" in place of large or nested counted repetitions";
    default:
      return "the syntax is RE2's: https://github.com/google/re2/wiki/Syntax";
  }
}

}  // namespace

RE2::Options pattern_options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemory);
  return options;
}

std::string with_re2_named_groups(const std::string& regex) {
  std::string result;
  std::size_t copied = 0;
  for_each_extended_group(regex, [&](std::size_t at) {
    if (regex.compare(at, 3, "(?<") != 0 || at + 3 >= regex.size() || !is_name_start(regex[at + 3])) return;
    result.append(regex, copied, at + 2 - copied).append("P");
    copied = at + 2;
  });
  return result.append(regex, copied);
}

std::optional<std::string> with_group_for_non_finite(const std::string& regex) {
  // As C, Python, Microsoft's C and tensors print them.
  constexpr const char* kNonFinite =
      "((?i:[+-]?(?:tensor\\([+-]?)?(?:nan|inf(?:inity)?|1\\.#(?:inf|ind|[qs]nan))\\b))";
  const std::string text = with_re2_named_groups(regex);
  std::size_t open = std::string::npos, content = 0, close = std::string::npos;
  int depth = 0, depth_of_group = 0;
  for_each_parenthesis(text, [&](std::size_t at) {
    if (close != std::string::npos) return;
    if (text[at] == ')') {
      if (open != std::string::npos && depth == depth_of_group) close = at;
      --depth;
      return;
    }
    ++depth;
    const bool is_named = text.compare(at, 4, "(?P<") == 0;
    if (open != std::string::npos || (text.compare(at, 2, "(?") == 0 && !is_named)) return;
    open = at, depth_of_group = depth;
    content = is_named ? text.find('>', at) + 1 : at + 1;
  });
  if (close == std::string::npos) return std::nullopt;
  const RE2 group(text.substr(content, close - content), pattern_options());
  if (!group.ok() || (RE2::FullMatch("nan", group) && RE2::FullMatch("inf", group))) return std::nullopt;
  const std::string changed = text.substr(0, open) + kNonFinite + text.substr(close + 1);
  return RE2(changed, pattern_options()).ok() ? std::optional(changed) : std::nullopt;
}

std::optional<RegexObjection> regex_objection(const std::string& regex) {
  if (regex.empty()) return RegexObjection{"the regex is empty", "for example \"loss=(\\\\S+)\""};
  if (regex.size() > kPatternLimit)
    return RegexObjection{"the regex has " + std::to_string(regex.size()) + " bytes; at most " +
                              std::to_string(kPatternLimit) + " are allowed",
                          "match only the text next to the number"};
  const RE2 pattern(with_re2_named_groups(regex), pattern_options());
  if (!pattern.ok())
    return RegexObjection{"the regex \"" + regex + "\" cannot be used: " + pattern.error(),
                          cure_of_syntax_error(regex, pattern)};
  if (pattern.NumberOfCapturingGroups() == 0)
    return RegexObjection{"the regex \"" + regex + "\" has no group, so it captures no number",
                          "put the number in parentheses: \"loss=(\\\\S+)\""};
  return std::nullopt;
}

}  // namespace tune::metrics

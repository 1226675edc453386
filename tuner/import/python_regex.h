#pragma once
// Regular expressions as Python's `re` reads them, rewritten for RE2.
#include <optional>
#include <string>
#include <string_view>

namespace tune::amt {

struct Re2Regex {
  std::string regex;
  // What cannot be said in RE2, or would never give a value; with its cure. Empty where there is nothing.
  std::string objection, cure;
  std::string warning, hint;  // what it reads less of than one may think
};

// `\Z`, `{,3}`, `\u2026` and comments are spelt differently; all else that both have is the same
// (https://docs.python.org/3/library/re.html, https://github.com/google/re2/wiki/Syntax).
Re2Regex from_python(std::string_view regex);

}  // namespace tune::amt

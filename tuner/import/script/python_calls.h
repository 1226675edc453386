#pragma once
// Calls in Python source, and the literals among their arguments.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/json.h"
#include "tuner/import/script/python_tokens.h"

namespace tune::script {

using Tokens = std::span<const Token>;

struct CallArgument {
  std::string keyword;  // "" where the place says what it is; "*" or "**" where it stands for several
  Tokens value;
};

// name(...), or a.b.name(...). Its tokens are those of the source, which outlive it.
struct Call {
  std::string receiver;  // "a.b"; "" where there is none, "?" for anything but names
  std::string function;
  std::vector<CallArgument> arguments;
  bool is_closed = true;  // its bracket is
  int line = 0;

  const CallArgument* find(std::string_view keyword) const;  // nullptr where it is not given
  std::vector<Tokens> positional() const;
};

// Every call of a function of one of these names, in the order in which they begin, calls within calls too.
std::vector<Call> calls_of(Tokens tokens, std::span<const std::string_view> functions);

// Cut at `sign` where it stands outside of all brackets.
std::vector<Tokens> split_at(Tokens tokens, std::string_view sign);

// A number, a text (several in a row are one), True, False, None, a list or a tuple or a set of those, or
// arithmetic of numbers (2 ** 10). nullopt for all else: what only running the script would tell.
std::optional<OrderedJson> literal_of(Tokens tokens);

// As it was written, with a blank between tokens where reading needs one.
std::string text_of(Tokens tokens);

}  // namespace tune::script

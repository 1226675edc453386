#pragma once
// The arguments that a Python script declares by argparse (https://docs.python.org/3/library/argparse.html).
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/json.h"
#include "tuner/import/script/python_calls.h"

namespace tune::script {

struct ScriptArgument {
  std::string name;                  // as the script reads it: "batch_size"
  std::vector<std::string> options;  // "--batch-size", "-b"; none where it stands by itself
  std::string type;                  // as written: "float", "str2bool"; "" where none is given
  std::string action;                // "store_true", "BooleanOptionalAction"; "" where none is given
  std::string nargs;                 // as written; "" where none is given
  std::string help;
  std::optional<OrderedJson> value;  // the default, where one can be read; null for None
  std::string unread_default;        // it, where it cannot
  std::vector<OrderedJson> choices;
  bool is_required = false;
  int line = 0;

  bool is_positional() const { return options.empty(); }
  std::string option() const;  // the first long one, else the first
};

// What was seen and not understood.
struct Unread {
  int line = 0;
  std::string text, reason;
};

struct ScriptArguments {
  std::vector<ScriptArgument> all;  // in the order of the script, each name once
  std::vector<Unread> unread;
  bool has_commands = false;  // add_subparsers(): which of its arguments belong together is not known
};

ScriptArguments arguments_of(Tokens tokens);

}  // namespace tune::script

#include "tuner/import/script/argparse_arguments.h"

#include <algorithm>
#include <array>

namespace tune::script {
namespace {

constexpr std::array<std::string_view, 3> kArgparse{"add_argument", "set_defaults", "add_subparsers"};

// "--batch-size" -> "batch_size", as argparse names it.
std::string name_of_option(const std::string& option) {
  std::string name = option.substr(std::min(option.find_first_not_of('-'), option.size()));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// A text as it stands, any other literal as JSON, what is no literal as it was written.
std::string word_of(Tokens tokens) {
  const std::optional<OrderedJson> literal = literal_of(tokens);
  return literal && literal->is_string() ? literal->get<std::string>() : text_of(tokens);
}

std::string word_of(const Call& call, std::string_view keyword) {
  const CallArgument* argument = call.find(keyword);
  return argument == nullptr ? "" : word_of(argument->value);
}

bool is_true(const Call& call, std::string_view keyword) { return word_of(call, keyword) == "True"; }

// "argparse.BooleanOptionalAction" -> "BooleanOptionalAction".
std::string last_name(const std::string& dotted) { return dotted.substr(dotted.rfind('.') + 1); }

// Why the call cannot be read; "" where it can.
std::string objection_to(const Call& call, const std::vector<std::optional<OrderedJson>>& names) {
  if (!call.is_closed) return "its bracket is not closed";
  for (const CallArgument& argument : call.arguments)
    if (argument.keyword == "*" || argument.keyword == "**")
      return "what " + argument.keyword + text_of(argument.value) +
             " holds is known only to the running script";
  const bool has_names = !names.empty() && std::all_of(names.begin(), names.end(), [](const auto& name) {
    return name && name->is_string() && !name->template get<std::string>().empty();
  });
  return has_names ? "" : "its name is no text";
}

void read_default(const CallArgument& given, ScriptArgument& argument) {
  argument.value = literal_of(given.value);
  argument.unread_default = argument.value ? "" : text_of(given.value);
}

void read_choices(const Call& call, ScriptArgument& argument, ScriptArguments& arguments) {
  const CallArgument* choices = call.find("choices");
  if (choices == nullptr) return;
  const std::optional<OrderedJson> list = literal_of(choices->value);
  if (list && list->is_array())
    argument.choices.assign(list->begin(), list->end());
  else
    arguments.unread.push_back(
        {call.line, argument.name,
         "its choices are known only to the running script: " + text_of(choices->value)});
}

void read_argument(const Call& call, ScriptArguments& arguments) {
  std::vector<std::optional<OrderedJson>> names;
  for (const Tokens name : call.positional()) names.push_back(literal_of(name));
  if (const std::string objection = objection_to(call, names); !objection.empty()) {
    const std::string first = call.arguments.empty() ? "" : text_of(call.arguments.front().value);
    arguments.unread.push_back({call.line, "add_argument(" + first + ")", objection});
    return;
  }
  ScriptArgument argument;
  for (const auto& name : names) argument.options.push_back(name->get<std::string>());
  argument.name = word_of(call, "dest");
  if (argument.name.empty()) argument.name = name_of_option(argument.option());
  if (!argument.options.front().starts_with('-')) argument.options.clear();
  argument.type = last_name(word_of(call, "type"));
  argument.action = last_name(word_of(call, "action"));
  if (argument.action == "store") argument.action.clear();
  argument.nargs = word_of(call, "nargs");
  argument.help = word_of(call, "help");
  argument.is_required =
      argument.is_positional() ? argument.nargs != "?" && argument.nargs != "*" : is_true(call, "required");
  argument.line = call.line;
  if (const CallArgument* given = call.find("default")) read_default(*given, argument);
  read_choices(call, argument, arguments);
  const auto same = std::find_if(arguments.all.begin(), arguments.all.end(),
                                 [&](const ScriptArgument& each) { return each.name == argument.name; });
  if (same == arguments.all.end())
    arguments.all.push_back(std::move(argument));
  else
    arguments.unread.push_back({call.line, argument.is_positional() ? argument.name : argument.option(),
                                "it writes to " + argument.name + ", as the argument of line " +
                                    std::to_string(same->line) + " does"});
}

void read_defaults(const Call& call, ScriptArguments& arguments) {
  for (const CallArgument& given : call.arguments)
    for (ScriptArgument& argument : arguments.all)
      if (argument.name == given.keyword) read_default(given, argument);
}

}  // namespace

std::string ScriptArgument::option() const {
  const auto is_long = [](const std::string& each) { return each.starts_with("--"); };
  const auto found = std::find_if(options.begin(), options.end(), is_long);
  return found != options.end() ? *found : options.empty() ? name : options.front();
}

ScriptArguments arguments_of(Tokens tokens) {
  ScriptArguments arguments;
  for (const Call& call : calls_of(tokens, kArgparse)) {
    if (call.function == "add_argument")
      read_argument(call, arguments);
    else if (call.function == "set_defaults")
      read_defaults(call, arguments);
    else
      arguments.has_commands = true;
  }
  return arguments;
}

}  // namespace tune::script

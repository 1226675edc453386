// `tune models`: lists models, and takes the actions of the table below.
#include <algorithm>
#include <set>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/models_actions.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"

namespace tune::cli {
namespace {

struct Action {
  const char* words;  // "alias set"
  std::vector<const char*> arguments;
  std::size_t required;  // of them, the first
  std::set<std::string> options;
  int (*run)(const ModelsCall& call);
};

// The word alone is an action; a model of that name is shown by `show`.
const std::vector<Action>& actions() {
  static const std::vector<Action> table{
      {"list", {"NAME"}, 0, {}, list_models},
      {"show", {"NAME@V"}, 1, {}, show_version},
      {"verify", {"NAME"}, 0, {}, verify_models},
      {"lineage", {"NAME@V"}, 1, {}, show_lineage},
      {"alias set", {"NAME@V", "ALIAS"}, 2, {"expected", "note"}, set_model_alias},
      {"alias remove", {"NAME", "ALIAS"}, 2, {"expected", "note"}, remove_model_alias},
      {"approve", {"NAME@V"}, 1, {"note"}, approve_version},
      {"reject", {"NAME@V"}, 1, {"note"}, reject_version},
      {"reopen", {"NAME@V"}, 1, {"note"}, reopen_version},
      {"note", {"NAME@V", "TEXT"}, 2, {}, note_version},
      {"promote", {"NAME@V"}, 1, {"to", "expected", "require", "scores", "note"}, promote_model},
      {"rollback", {"NAME"}, 1, {"alias", "expected", "note"}, roll_model_back},
      {"delete", {"NAME@V"}, 1, {"yes", "note"}, delete_model},
      {"gc", {}, 0, {"dry-run", "adopt", "remove"}, clean_up_models},
  };
  return table;
}

constexpr const char* kOwnOptions[] = {"to",   "alias", "expected", "require", "scores",
                                       "note", "yes",   "dry-run",  "adopt",   "remove"};

std::string usage_of(const Action& action) {
  std::string text = std::string("tune models ") + action.words;
  for (const char* argument : action.arguments) text += std::string(" ") + argument;
  return "for example: " + text;
}

// The action that the words begin with; its own words are taken out. nullptr: a model, or nothing.
const Action* take_action(std::vector<std::string>& words) {
  for (const Action& action : actions()) {
    const std::string name = action.words;
    const std::size_t space = name.find(' ');
    if (words.empty() || words[0] != name.substr(0, space)) continue;
    if (space == std::string::npos) {
      words.erase(words.begin());
      return &action;
    }
    if (words.size() > 1 && words[1] == name.substr(space + 1)) {
      words.erase(words.begin(), words.begin() + 2);
      return &action;
    }
  }
  if (!words.empty() && words[0] == "alias")
    throw Error(ExitCode::kUsage, "what is to become of the alias is missing",
                "for example: tune models alias set steel@3 champion, or: alias remove steel champion");
  return nullptr;
}

void check_call(const Action& action, const std::vector<std::string>& arguments, const Parsed& options) {
  const std::string name = std::string("tune models ") + action.words;
  if (arguments.size() < action.required)
    throw Error(ExitCode::kUsage, std::string(action.arguments[arguments.size()]) + " is missing",
                usage_of(action));
  if (arguments.size() > action.arguments.size())
    throw Error(ExitCode::kUsage, in_quotes(arguments.back()) + " is one argument too many",
                usage_of(action));
  for (const char* option : kOwnOptions)
    if (options.has(option) && !action.options.contains(option))
      throw Error(ExitCode::kUsage, std::string("--") + option + " does not go with `" + name + "`",
                  "see `tune models --help`");
}

Error surplus(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const Action& action : actions()) names.emplace_back(action.words);
  const auto guess = nearest_name(words[0], names);
  return {ExitCode::kUsage,
          words.size() == 2 ? in_quotes(words[1]) + " is one argument too many"
                            : in_quotes(words[0]) + " is no action of `tune models`",
          guess ? "did you mean \"tune models " + *guess + "\"?"
                : "`tune models NAME` shows a model, `tune models --help` its actions"};
}

}  // namespace

int models_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "models")
          .positional(
              "NAME",
              "one model, with lineage [all]; or an action:\n"
              "                        list [NAME], show NAME@V, verify [NAME], lineage NAME@V,\n"
              "                        alias set NAME@V ALIAS, alias remove NAME ALIAS,\n"
              "                        approve NAME@V, reject NAME@V, reopen NAME@V, note NAME@V TEXT,\n"
              "                        promote NAME@V, rollback NAME, delete NAME@V, gc.\n"
              "                        NAME@V is a version, steel@3, or what an alias names,\n"
              "                        steel@champion; NAME alone is steel@current",
              false)
          .positional("ARGUMENT", "what the action takes, one or more: as above", false)
          .positional("SECOND", "", false)
          .positional("THIRD", "", false)
          .value("to", "ALIAS",
                 "of promote: the alias that is to name the version, once the gate lets it pass")
          .value("alias", "ALIAS", "of rollback: which alias goes back [current]")
          .value("expected", "V",
                 "of alias, promote, rollback: what the alias must name now, none for nothing; else exit 6")
          .value("require", "FILE",
                 "of promote: the gate's requirement, in place of that of the version's study")
          .value("scores", "FILE", "of promote: numbers that you have measured, as a JSON object")
          .value("note", "TEXT", "why, for the log")
          .flag("yes", "of delete: do not ask")
          .flag("dry-run", "of gc: only look")
          .flag("adopt", "of gc: folders that the registry does not know become versions")
          .flag("remove", "of gc: folders that the registry does not know are removed")
          .parse(arguments, console);
  if (!options) return 0;
  std::vector<std::string> words;
  for (const char* position : {"NAME", "ARGUMENT", "SECOND", "THIRD"})
    if (options->has(position)) words.push_back(options->text(position));
  const std::vector<std::string> all = words;
  const Action* action = take_action(words);
  if (action == nullptr) {
    if (words.size() > 1) throw surplus(all);
    action = &actions().front();
  }
  check_call(*action, words, *options);
  const ModelsCall call{std::filesystem::absolute(store_folder(*options)).lexically_normal(),
                        std::move(words), *options, console};
  return action->run(call);
}

}  // namespace tune::cli

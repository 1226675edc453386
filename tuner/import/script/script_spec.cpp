#include "tuner/import/script/script_spec.h"

#include <algorithm>
#include <array>

#include "tuner/core/characters.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/objective_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/import/script/range_guess.h"
#include "tuner/import/study_name.h"
#include "tuner/spec/placeholder.h"

namespace tune::script {
namespace {

constexpr int kTrials = 20;

struct Filled {
  std::string_view name, placeholder, reason;
};
// Arguments that mean what `tune` gives each trial.
constexpr std::array kFilled{
    Filled{"seed", "seed", "each trial has a seed of its own"},
    Filled{"random_seed", "seed", "each trial has a seed of its own"},
    Filled{"random_state", "seed", "each trial has a seed of its own"},
    Filled{"manual_seed", "seed", "each trial has a seed of its own"},
    Filled{"output_dir", "output_dir", "each trial's own; the best one's is promoted"},
    Filled{"out_dir", "output_dir", "each trial's own; the best one's is promoted"},
    Filled{"save_dir", "output_dir", "each trial's own; the best one's is promoted"},
    Filled{"model_dir", "output_dir", "each trial's own; the best one's is promoted"},
    Filled{"checkpoint_dir", "checkpoint_dir", "each trial's own, which a trial that goes on finds again"},
    Filled{"ckpt_dir", "checkpoint_dir", "each trial's own, which a trial that goes on finds again"},
};

const Filled* filled_by(const ScriptArgument& argument) {
  const auto found = std::find_if(kFilled.begin(), kFilled.end(),
                                  [&](const Filled& each) { return each.name == argument.name; });
  return found == kFilled.end() || !argument.action.empty() ? nullptr : &*found;
}

// As a parameter of a spec may be called.
std::string parameter_name(const std::string& name) {
  constexpr std::size_t kLongest = 64;
  std::string parameter;
  for (const char c : name)
    parameter += is_letter_or_digit(c) || std::string_view("_.-").find(c) != std::string_view::npos ? c : '_';
  if (parameter.empty() || !is_letter(parameter[0])) parameter = "_" + parameter;
  return parameter.substr(0, kLongest);
}

// A number where it is written as the script would get it again, else the text.
OrderedJson value_of(const std::string& text) {
  const OrderedJson value = OrderedJson::parse(text, nullptr, false);
  return value.is_number() && argument_text(Json(value)) == text ? value : OrderedJson(text);
}

// Writes one spec. Lives for one call of spec_of_script().
class Writer {
 public:
  Writer(const ScriptArguments& arguments, const std::string& path,
         const std::map<std::string, std::string>& given)
      : arguments_(arguments), path_(path), given_(given) {
    parameters_ = fixed_ = OrderedJson::object();
  }

  ScriptSpec write(GuessedMetrics metrics) {
    result_.metrics = std::move(metrics);
    result_.unread = arguments_.unread;
    for (const bool positional : {true, false})
      for (const ScriptArgument& argument : arguments_.all)
        if (argument.is_positional() == positional) decide(argument);
    std::sort(result_.decisions.begin(), result_.decisions.end(),
              [](const Decision& a, const Decision& b) { return a.line < b.line; });
    if (arguments_.has_commands)
      result_.lacking.push_back(
          "the script has sub-commands: put the one that trains, and only its arguments, into \"command\"");
    write_spec();
    return std::move(result_);
  }

 private:
  void decide(const ScriptArgument& argument) {
    const std::string name = parameter_name(argument.name);
    const Filled* filled = filled_by(argument);
    if (const auto given = given_.find(argument.name); given != given_.end())
      fix(argument, name, value_of(given->second), "as --set says");
    else if (filled != nullptr)
      pass(argument, std::string(filled->placeholder), Fate::kFilled, std::string(filled->reason));
    else if (const std::optional<Guess> guess = guess_range(argument); guess && !is_taken(name))
      search(argument, name, *guess);
    else if (is_length_of_training(argument) && argument.value && argument.value->is_number())
      fix(argument, name, *argument.value, "the default: it decides how long a trial takes");
    else if (argument.is_required)
      lack(argument, name);
    else
      note(argument, Fate::kLeft, default_text(argument) + objection_to_range(argument));
  }

  static bool is_taken(const std::string& name) {
    const std::vector<std::string>& own = built_in_placeholders();
    return std::find(own.begin(), own.end(), name) != own.end();
  }

  static std::string default_text(const ScriptArgument& argument) {
    constexpr std::size_t kShown = 40;
    if (is_switch(argument)) return "not given; ";
    if (argument.value && !argument.value->is_null())
      return "the script's default " +
             shortened(argument.value->dump(-1, ' ', false, OrderedJson::error_handler_t::replace), kShown) +
             "; ";
    return argument.unread_default.empty()
               ? ""
               : "the script's default " + shortened(argument.unread_default, kShown) + "; ";
  }

  void note(const ScriptArgument& argument, Fate fate, const std::string& reason) {
    result_.decisions.push_back({argument.name, argument.is_positional() ? argument.name : argument.option(),
                                 fate, reason, argument.line});
  }

  void search(const ScriptArgument& argument, const std::string& name, const Guess& guess) {
    parameters_[name] = guess.range;
    const bool is_switch = guess.range.contains("values") && guess.range["values"][0] == argument.option();
    if (is_switch) {
      command_.push_back("{{" + name + "}}");
      note(argument, Fate::kSearched, guess.reason);
    } else {
      pass(argument, name, Fate::kSearched, guess.reason);
    }
  }

  void fix(const ScriptArgument& argument, const std::string& name, const OrderedJson& value,
           const std::string& reason) {
    if (is_switch(argument)) {
      turn(argument, value, reason);
      return;
    }
    if (is_taken(name)) {
      pass_text(argument, argument_text(Json(value)));
      note(argument, Fate::kFixed, reason);
      return;
    }
    fixed_[name] = value;
    pass(argument, name, Fate::kFixed, reason);
  }

  static bool is_switch(const ScriptArgument& argument) {
    return argument.action == "store_true" || argument.action == "store_false" ||
           argument.action == "BooleanOptionalAction";
  }

  // Whether the switch is given; one with an opposite (--no-amp) may be turned off, too.
  void turn(const ScriptArgument& argument, const OrderedJson& value, const std::string& reason) {
    if (value != "true" && value != "false")
      throw Error(ExitCode::kUsage,
                  "--set " + argument.name + "=" + argument_text(Json(value)) + ": it is a switch",
                  "say " + argument.name + "=true to give it, or " + argument.name + "=false");
    if (value == "true")
      command_.push_back(argument.option());
    else if (argument.action == "BooleanOptionalAction")
      command_.push_back("--no-" + argument.option().substr(2));
    note(argument, Fate::kFixed, reason);
  }

  void lack(const ScriptArgument& argument, const std::string& name) {
    pass(argument, name, Fate::kLacking,
         "the script requires it: " +
             (argument.help.empty() ? "say its value" : shortened(one_line(argument.help), 80)));
    result_.lacking.push_back("the script requires " + argument.option() + ": give it with --set " +
                              argument.name + "=VALUE, or write it under \"fixed\"");
  }

  void pass(const ScriptArgument& argument, const std::string& name, Fate fate, const std::string& reason) {
    pass_text(argument, "{{" + name + "}}");
    note(argument, fate, reason);
  }

  void pass_text(const ScriptArgument& argument, const std::string& text) {
    const std::string option = argument.option();
    if (argument.is_positional()) {
      command_.push_back(text);
    } else if (option.starts_with("--")) {
      command_.push_back(option + "=" + text);
    } else {
      command_.push_back(option);
      command_.push_back(text);
    }
  }

  void write_metrics() {
    if (!result_.metrics.objective) {
      result_.lacking.push_back(
          "no print() or logging call was found that tells a metric: let the script print one, and add "
          "\"objective\" and \"metrics\"");
      return;
    }
    const GuessedMetric& objective = result_.metrics.all[*result_.metrics.objective];
    result_.spec["objective"] = {{"metric", objective.name}, {"goal", goal_text(objective.goal)}};
    metrics_ = OrderedJson::array();
    for (const GuessedMetric& metric : result_.metrics.all) {
      if (metric.regex.empty()) continue;
      OrderedJson row{{"name", metric.name}, {"regex", metric.regex}};
      if (!metric.step.empty()) row["step"] = metric.step;
      metrics_.push_back(std::move(row));
    }
  }

  void write_spec() {
    OrderedJson& spec = result_.spec;
    spec["study"] = amt::study_name_of(path_, "search");
    write_metrics();
    if (parameters_.empty())
      result_.lacking.push_back(
          "no argument was found that is searched by its name: write ranges under \"parameters\"");
    spec["parameters"] = parameters_;
    if (!fixed_.empty()) spec["fixed"] = fixed_;
    OrderedJson command{"python3", path_};
    for (const std::string& word : command_) command.push_back(word);
    spec["command"] = std::move(command);
    if (!metrics_.empty()) spec["metrics"] = metrics_;
    spec["limits"] = {{"trials", kTrials}};
  }

  const ScriptArguments& arguments_;
  const std::string& path_;
  const std::map<std::string, std::string>& given_;
  OrderedJson parameters_, fixed_, metrics_;
  std::vector<std::string> command_;
  ScriptSpec result_;
};

void require_known(const std::map<std::string, std::string>& given, const ScriptArguments& arguments) {
  std::vector<std::string> names;
  for (const ScriptArgument& argument : arguments.all) names.push_back(argument.name);
  for (const auto& [name, value] : given)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw Error(ExitCode::kUsage, "--set names " + in_quotes(name) + ", which is no argument of the script",
                  name_hint(name, names, "its arguments"));
}

}  // namespace

const char* to_string(Fate fate) {
  switch (fate) {
    case Fate::kSearched:
      return "searched";
    case Fate::kFixed:
      return "fixed";
    case Fate::kFilled:
      return "filled";
    case Fate::kLeft:
      return "left";
    case Fate::kLacking:
      return "lacking";
  }
  return "";
}

ScriptSpec spec_of_script(const std::string& source, const std::string& path,
                          const std::map<std::string, std::string>& given) {
  const std::vector<Token> tokens = tokens_of(source);
  const ScriptArguments arguments = arguments_of(tokens);
  if (arguments.all.empty() && arguments.unread.empty())
    throw Error(
        ExitCode::kBadSpec, in_quotes(path) + " declares no arguments by argparse's add_argument()",
        "Name the script that reads the command line. Of others a spec says how they get their values: see "
        "\"Trainers of your own\" in the manual.");
  require_known(given, arguments);
  return Writer(arguments, path, given).write(guess_metrics(tokens));
}

}  // namespace tune::script

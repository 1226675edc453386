// The sections `command` and `environment`.
#include <algorithm>
#include <array>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/edit_distance.h"
#include "tuner/spec/placeholder.h"
#include "tuner/spec/spec_keys.h"
#include "tuner/spec/spec_sections.h"

namespace tune {
namespace {

using Words = std::vector<std::string>;

bool is_among(const std::string& name, const Words& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_shell(const std::string& word) {
  static const Words kShells{"sh", "bash", "dash", "zsh", "ksh", "ash", "fish"};
  return is_among(word.substr(word.rfind('/') + 1), kShells);
}

// The element that a shell would read as a program: the first operand after an option with `c`. nullopt when
// there is none.
std::optional<std::size_t> shell_script(const Words& command) {
  for (std::size_t shell = 0; shell < command.size(); ++shell) {
    if (!is_shell(command[shell])) continue;
    bool takes_script = false;
    std::size_t i = shell + 1;
    for (; i < command.size() && command[i].starts_with('-') && command[i].size() > 1; ++i) {
      if (command[i].starts_with("--")) {
        takes_script |= command[i] == "--command";
        continue;
      }
      takes_script |= command[i].find('c') != std::string::npos;
      if (command[i].ends_with('o')) ++i;  // -o takes a word of its own: bash -o pipefail -c
    }
    if (takes_script && i < command.size()) return i;
  }
  return std::nullopt;
}

// Checks the placeholders of one command. Lives for one call of read_command.
class PlaceholderChecker {
 public:
  PlaceholderChecker(const Words& command, const ReadParameters& read, SpecProblems& problems)
      : command_(command), read_(read), problems_(problems), script_(shell_script(command)) {
    if (const OrderedJson* fixed = problems.find("/fixed"))
      for (const auto& item : fixed->items()) fixed_.push_back(item.key());
  }

  void check() {
    for (std::size_t i = 0; i < command_.size(); ++i) {
      pointer_ = element_pointer("/command", i);
      const auto placeholders = find_placeholders(command_[i]);
      for (const Placeholder& placeholder : placeholders) check_name(placeholder.name);
      check_closed(command_[i], placeholders);
      if (!placeholders.empty() && script_ == i) report_script(placeholders.front().name);
      if (i > 1 && !placeholders.empty() && placeholders[0].begin == 0 && is_bare_option(command_[i - 1]))
        warn_of_dash(i, placeholders);
    }
  }

 private:
  bool is_user_name(const std::string& name) const {
    return is_among(name, read_.names) || is_among(name, fixed_);
  }

  void check_name(const std::string& name) {
    const bool built_in = is_among(name, built_in_placeholders());
    if (built_in && is_user_name(name))
      problems_.add(
          pointer_,
          "\"{{" + name + "}}\" is tune's own, but there is also a parameter or fixed value of that name",
          "rename yours");
    if (built_in || is_user_name(name)) return;
    Words names = read_.names;
    names.insert(names.end(), fixed_.begin(), fixed_.end());
    names.insert(names.end(), built_in_placeholders().begin(), built_in_placeholders().end());
    problems_.add(pointer_, "\"{{" + name + "}}\" names no parameter, fixed value or built-in",
                  hint(name, names));
  }
  static std::string hint(const std::string& name, const Words& names) {
    const std::size_t first = name.find_first_not_of(' '), last = name.find_last_not_of(' ');
    const std::string trimmed = first == std::string::npos ? "" : name.substr(first, last - first + 1);
    if (const auto nearest = nearest_name(trimmed, names)) return "did you mean \"{{" + *nearest + "}}\"?";
    return name_hint("", names, "valid names");
  }

  void check_closed(const std::string& element, const std::vector<Placeholder>& placeholders) {
    const std::size_t rest = placeholders.empty() ? 0 : placeholders.back().end;
    if (element.find("{{", rest) != std::string::npos)
      problems_.add(pointer_, "a \"{{\" is not closed", "write \"{{name}}\"");
  }

  void report_script(const std::string& name) {
    problems_.add(pointer_, "a shell would run the value of \"{{" + name + "}}\" as program text",
                  "pass it as an argument: [\"bash\", \"-c\", \"train --x \\\"$1\\\"\", \"bash\", \"{{" +
                      name + "}}\"]");
  }

  // An option that waits for a value takes none that begins with "-", plain negative numbers apart. A switch
  // is no value, and so not meant for the option before it.
  void warn_of_dash(std::size_t index, const std::vector<Placeholder>& placeholders) {
    const std::string& option = command_[index - 1];
    const std::string& name = placeholders[0].name;
    const bool is_alone = is_one_placeholder(command_[index], placeholders);
    std::string culprit;
    if (const auto parameter = read_.sound.find(name);
        parameter != read_.sound.end() && parameter->second.type != ParameterType::kCategorical) {
      // Alone, a negative number is written without an exponent.
      if (!is_alone && parameter->second.min < 0) culprit = shortest(parameter->second.min);
    } else {
      const std::vector<Json> values = possible_values(name);
      if (is_alone && parameter != read_.sound.end() && is_switch(values)) return;
      for (const Json& value : values)
        if (culprit.empty() && begins_with_dash(value, is_alone)) culprit = value.dump();
    }
    if (culprit.empty()) return;
    // A long option takes its value behind "=", a short one right behind its letter.
    const std::string joined = option + (option.size() > 2 ? "=" : "") + command_[index];
    problems_.warn(pointer_,
                   "the value " + culprit + " of " + in_quotes(name) +
                       " starts with \"-\", so the program may take it for an option of its own, and find no "
                       "value for " +
                       option,
                   "write both as one element: " + in_quotes(joined));
  }
  static bool begins_with_dash(const Json& value, bool is_alone) {
    if (value.is_number()) return !is_alone && value.get<double>() < 0;
    if (!value.is_string()) return false;
    const std::string text = value.get<std::string>();
    const bool is_plain_number = is_alone && text.find_first_not_of("-0123456789.") == std::string::npos;
    return text.size() > 1 && text[0] == '-' && !is_plain_number;
  }
  std::vector<Json> possible_values(const std::string& name) const {
    if (const auto parameter = read_.sound.find(name); parameter != read_.sound.end())
      return parameter->second.values;
    if (const OrderedJson* value = problems_.find(member_pointer("/fixed", name))) return {Json(*value)};
    return {};
  }

  const Words& command_;
  const ReadParameters& read_;
  SpecProblems& problems_;
  std::optional<std::size_t> script_;
  Words fixed_;
  std::string pointer_;
};

// Looks at the values that a command may name; one that only trial.json holds could have a NUL.
void check_values(SpecProblems& problems) {
  const auto check = [&](const OrderedJson& value, const std::string& pointer) {
    if (value.is_string()) check_no_nul(value.get<std::string>(), pointer, problems);
  };
  if (const OrderedJson* fixed = problems.find("/fixed"); fixed != nullptr && fixed->is_object())
    for (const auto& [name, value] : fixed->items()) check(value, member_pointer("/fixed", name));
  const OrderedJson* parameters = problems.find("/parameters");
  if (parameters == nullptr || !parameters->is_object()) return;
  for (const auto& [name, parameter] : parameters->items()) {
    const std::string values = member_pointer("/parameters", name) + "/values";
    if (const OrderedJson* list = problems.find(values); list != nullptr && list->is_array())
      for (std::size_t i = 0; i < list->size(); ++i) check((*list)[i], element_pointer(values, i));
  }
}

// Variables that every attempt gets from tune.
bool is_reserved_variable(const std::string& name) {
  constexpr std::array kReserved{"TUNE_TRIAL_FILE", "TUNE_OUTPUT_DIR", "TUNE_CHECKPOINT_DIR",
                                 "TUNE_SEED",       kTokenVariable,    "CUDA_VISIBLE_DEVICES"};
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

}  // namespace

void check_no_nul(const std::string& text, const std::string& pointer, SpecProblems& problems) {
  if (text.find('\0') != std::string::npos)
    problems.add(pointer, "this contains a NUL character, which no program can receive", "remove \\u0000");
}

std::vector<std::string> read_command(const ReadParameters& read, SpecProblems& problems) {
  Words command;
  if (!problems.is_sound("/command")) return command;
  for (const OrderedJson& element : *problems.find("/command")) command.push_back(element.get<std::string>());
  for (std::size_t i = 0; i < command.size(); ++i)
    check_no_nul(command[i], element_pointer("/command", i), problems);
  check_values(problems);
  if (command[0].empty()) problems.add("/command/0", "the program's name is empty");
  PlaceholderChecker(command, read, problems).check();
  return command;
}

std::map<std::string, EnvironmentValue> read_environment(
    const std::string& place, const std::function<bool(const std::string&)>& is_reserved,
    const std::function<std::string(const std::string&)>& cure, SpecProblems& problems) {
  std::map<std::string, EnvironmentValue> environment;
  const OrderedJson* section = problems.find(place);
  if (section == nullptr) return environment;
  for (const auto& item : section->items()) {
    const std::string pointer = member_pointer(place, item.key());
    if (is_reserved(item.key()))
      problems.add_at_key(pointer, in_quotes(item.key()) + " is set by tune itself", cure(item.key()));
    if (!problems.is_sound(pointer)) continue;
    if (item.value().is_string()) {
      check_no_nul(item.value().get<std::string>(), pointer, problems);
      environment.emplace(item.key(), item.value().get<std::string>());
    } else {
      environment.emplace(item.key(), FromEnvironment{item.value().at("from_env").get<std::string>()});
    }
  }
  return environment;
}

std::map<std::string, EnvironmentValue> read_environment(SpecProblems& problems) {
  return read_environment(
      "/environment", is_reserved_variable,
      [](const std::string& name) {
        return name.starts_with("CUDA")
                   ? "use resources.gpus_per_trial, and resources.visible_devices for indices"
                   : "choose another name";
      },
      problems);
}

}  // namespace tune

// The section `parameters`, conditions apart.
#include <algorithm>
#include <cmath>
#include <map>

#include "tuner/core/edit_distance.h"
#include "tuner/core/parameter_text.h"
#include "tuner/spec/spec_keys.h"
#include "tuner/spec/spec_sections.h"

namespace tune {
namespace {

constexpr double kLargestBound = 9007199254740992;  // 2^53: every integer up to here is a double
constexpr double kMostValues = 1099511627776;       // 2^40: so many cells of the unit interval stay apart
constexpr double kAutoLogRatio = 100;               // `auto` is log from two decades on

bool is_whole(double number) { return std::trunc(number) == number; }

// Reads one parameter. Lives for one call.
class ParameterReader {
 public:
  ParameterReader(std::string name, SpecProblems& problems)
      : pointer_(member_pointer("/parameters", name)), problems_(problems) {
    parameter_.name = std::move(name);
  }

  std::optional<Parameter> read() {
    const auto type = text("type");
    if (!type) return std::nullopt;
    parameter_.type = parameter_type_from(*type);
    check_applicable(*type);
    if (parameter_.type == ParameterType::kCategorical)
      read_values();
    else
      read_range();
    for (const std::string key : {"type", "min", "max", "scale", "step", "levels", "values"})
      if (problems_.contains(at(key)) && !problems_.is_sound(at(key))) return std::nullopt;
    return is_complete_ ? std::optional(parameter_) : std::nullopt;
  }

 private:
  std::string at(const std::string& key) const { return pointer_ + "/" + key; }
  std::optional<double> number(const std::string& key) const {
    return read_value<double>(problems_, at(key));
  }
  std::optional<std::string> text(const std::string& key) const {
    return read_value<std::string>(problems_, at(key));
  }

  void add(const std::string& key, std::string message, std::string hint = {}) {
    problems_.add(at(key), std::move(message), std::move(hint));
    is_complete_ = false;
  }

  void check_applicable(const std::string& type) {
    const ObjectTable& table = *find_key(spec_table(), "parameters")->object;
    for (const KeyRule& key : table.keys) {
      const auto& types = key.applies_to;
      if (types.empty() || !problems_.contains(at(std::string(key.name)))) continue;
      if (std::find(types.begin(), types.end(), type) != types.end()) continue;
      problems_.add_at_key(at(std::string(key.name)),
                           in_quotes(key.name) + " has no meaning for a parameter of type " + in_quotes(type),
                           applicable_hint(std::string(key.name), type));
      is_complete_ = false;
    }
  }
  static std::string applicable_hint(const std::string& key, const std::string& type) {
    if (key == "values") return "use min and max, or type \"categorical\"";
    return type == "categorical" ? "use values, or type \"float\" or \"int\"" : "";
  }

  void read_values() {
    if (!problems_.contains(at("values")))
      add("values", "the key \"values\" is missing", "list the values to choose from");
    const OrderedJson* values = problems_.find(at("values"));
    if (values == nullptr) return;
    std::map<Json, std::size_t> numbers;
    for (std::size_t i = 0; i < values->size(); ++i) {
      const Json value = (*values)[i];
      const auto [first, is_new] = numbers.emplace(value, i + 1);
      if (!is_new)
        problems_.add(element_pointer(at("values"), i), value.dump() + " is there twice",
                      "remove one; it is also number " + std::to_string(first->second) + " of the list");
      else
        parameter_.values.push_back(value);
    }
  }

  void read_range() {
    for (const char* key : {"min", "max"})
      if (!problems_.contains(at(key)))
        add(key, std::string("the key \"") + key + "\" is missing", "a range has min and max");
    const auto min = number("min"), max = number("max");
    if (parameter_.type == ParameterType::kInt) check_integer_bounds();
    if (!min || !max) is_complete_ = false;
    if (!min || !max || !is_complete_) return;
    parameter_.min = *min, parameter_.max = *max;
    if (*min > *max)
      add("min", "min " + shortest(*min) + " is greater than max " + shortest(*max), "swap them");
    else if (!std::isfinite(*max - *min))
      add("min", "the range is too wide for its width to be a number", "choose bounds below 1e307");
    if (!is_complete_) return;
    read_scale();
    read_step();
    if (const auto levels = number("levels")) parameter_.levels = static_cast<int>(*levels);
  }

  void check_integer_bounds() {
    for (const char* key : {"min", "max", "step"}) {
      const auto bound = number(key);
      if (!bound) continue;
      if (!is_whole(*bound))
        add(key, std::string(key) + " " + shortest(*bound) + " of an int must be a whole number",
            "use type \"float\" for fractions");
      else if (std::abs(*bound) > kLargestBound)
        add(key, std::string(key) + " " + argument_text(Json(*problems_.find(at(key)))) +
                     " is beyond 2^53, where doubles skip integers");
    }
  }

  void read_scale() {
    const std::string scale = text("scale").value_or("linear");
    if (scale == "auto") {
      if (parameter_.min > 0 && parameter_.max / parameter_.min >= kAutoLogRatio)
        parameter_.scale = Scale::kLog;
      return;
    }
    parameter_.scale = scale_from(scale);
    if (parameter_.scale == Scale::kLog && parameter_.min <= 0)
      add("scale", "a log scale needs min > 0, but min is " + shortest(parameter_.min),
          "raise min, or use scale \"linear\"");
    if (parameter_.scale == Scale::kReverseLog && (parameter_.min < 0 || parameter_.max >= 1))
      add("scale",
          "a reverse_log scale needs 0 <= min and max < 1, but the range is " + shortest(parameter_.min) +
              " to " + shortest(parameter_.max),
          "change the range (0.999 in place of 1), or use scale \"linear\"");
  }

  void read_step() {
    const auto step = number("step");
    if (!step) return;
    const double width = parameter_.max - parameter_.min, steps = std::floor(width / *step + kStepTolerance);
    if (*step <= 0) {
      add("step", "step " + shortest(*step) + " is not greater than 0");
    } else if (*step > width) {
      add("step", "step " + shortest(*step) + " does not fit: the range is only " + shortest(width) + " wide",
          "choose a smaller step, or leave it out");
    } else if (steps > kMostValues) {
      add("step", "step " + shortest(*step) + " makes more than 2^40 values", "leave it out");
    } else if (std::abs(width - steps * *step) > kStepTolerance * *step) {
      parameter_.step = step;
      const double last = parameter_.value_at(static_cast<std::size_t>(steps)).get<double>();
      add("step",
          "step " + shortest(*step) + " does not fit: from min " + shortest(parameter_.min) + " it reaches " +
              shortest(last) + ", not max " + shortest(parameter_.max),
          "set max to " + shortest(last) + ", or choose a step that divides the range");
    } else {
      parameter_.step = step;
    }
  }

  std::string pointer_;
  SpecProblems& problems_;
  Parameter parameter_;
  bool is_complete_ = true;
};

struct Name {
  std::string text, pointer;
};

bool has_empty_part(const std::string& name) {
  return name.ends_with('.') || name.find("..") != std::string::npos;
}

}  // namespace

ReadParameters read_parameters(SpecProblems& problems) {
  ReadParameters read;
  const OrderedJson* parameters = problems.find("/parameters");
  if (parameters == nullptr) return read;
  for (const auto& item : parameters->items()) {
    read.names.push_back(item.key());
    if (problems.find(member_pointer("/parameters", item.key())) == nullptr) continue;
    if (auto parameter = ParameterReader(item.key(), problems).read())
      read.sound.emplace(item.key(), std::move(*parameter));
  }
  return read;
}

void check_names(const ReadParameters& read, SpecProblems& problems) {
  std::map<std::string, std::string> pointers;  // by name
  const auto check = [&](const std::string& name, const std::string& section) {
    const std::string pointer = member_pointer(section, name);
    if (has_empty_part(name))
      problems.add_at_key(pointer,
                          in_quotes(name) + " has an empty part: dots separate the levels of trial.json",
                          "remove the superfluous dot");
    else if (const auto [other, is_new] = pointers.emplace(name, pointer); !is_new)
      problems.add_at_key(pointer, in_quotes(name) + " is also a parameter",
                          "a name is searched or fixed, not both: remove one");
  };
  for (const std::string& name : read.names) check(name, "/parameters");
  if (const OrderedJson* fixed = problems.find("/fixed"))
    for (const auto& item : fixed->items()) check(item.key(), "/fixed");
  for (const auto& [name, pointer] : pointers)
    for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
      if (const auto outer = pointers.find(name.substr(0, dot)); outer != pointers.end())
        problems.add_at_key(pointer,
                            in_quotes(name) + " lies within " + in_quotes(outer->first) +
                                ", which is a value of its own (line " +
                                std::to_string(problems.line_of(outer->second)) + ")",
                            "rename one of the two: dotted names nest in trial.json");
}

}  // namespace tune

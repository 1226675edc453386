#include "tuner/import/optuna_import.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/number_text.h"
#include "tuner/core/objective_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/spec/spec.h"

namespace tune::optuna {
namespace {

using store::OptunaParameter;
using store::OptunaState;
using store::OptunaStudy;
using store::OptunaTrial;

constexpr std::size_t kLongestName = 64;

// One parameter of all trials together.
struct Range {
  bool is_categorical = false, is_int = true, log = false;
  double low = HUGE_VAL, high = -HUGE_VAL;
  std::optional<double> step;
  bool is_even = true;  // every trial had the same step, or none
  OrderedJson choices = OrderedJson::array();
};

// Of the names that Optuna has had for distributions since version 1.
bool is_log(const std::string& name, const OrderedJson& attributes) {
  return name == "LogUniformDistribution" || name == "IntLogUniformDistribution" ||
         attributes.value("log", false);
}

std::optional<double> step_of(const std::string& name, const OrderedJson& attributes) {
  const auto step = attributes.find(name == "DiscreteUniformDistribution" ? "q" : "step");
  return step != attributes.end() && step->is_number() ? std::optional(step->get<double>()) : std::nullopt;
}

// A name that a parameter of a spec may have.
std::string plain_name(const std::string& name) {
  std::string plain;
  for (const char c : name.substr(0, kLongestName))
    plain += is_letter_or_digit(c) || c == '_' || c == '.' || c == '-' ? c : '_';
  if (plain.empty() || !(is_letter(plain[0]) || plain[0] == '_'))
    plain = ("_" + plain).substr(0, kLongestName);
  return plain;
}

// A trial's parameters as their own values.
using Values = std::map<std::string, Json>;

// Gathers one study. Lives for one call of imported_study().
class Reader {
 public:
  Reader(const OptunaStudy& study, std::string name, std::string file)
      : study_(study), name_(std::move(name)), file_(std::move(file)) {}

  ImportedStudy read() {
    read_objectives();
    for (const OptunaTrial& trial : study_.trials) look_at(trial);
    if (order_.empty())
      refuse("none of its trials that have ended has a parameter", "there is nothing to learn");
    write_spec();
    for (const auto& [trial, values] : ended_) add_trial(*trial, values);
    say_left_out();
    result_.spec["limits"] = {{"trials", std::max<std::size_t>(1, result_.trials.size())}};
    return std::move(result_);
  }

 private:
  [[noreturn]] void refuse(const std::string& problem, const std::string& hint) const {
    throw Error(ExitCode::kBadSpec, file_ + ": the study \"" + study_.name + "\": " + problem, hint);
  }

  void read_objectives() {
    if (study_.goals.empty() || study_.goals.size() > 2)
      refuse("it has " + plural_text(study_.goals.size(), "objective"), "a study of tune has one or two");
    std::vector<std::string> metrics;
    if (const auto named = study_.system_attributes.find("study:metric_names");
        named != study_.system_attributes.end() && named->second.is_array())
      for (const Json& one : named->second) metrics.push_back(one.is_string() ? one.get<std::string>() : "");
    for (std::size_t i = 0; i < study_.goals.size(); ++i) {
      const bool is_named = i < metrics.size() && !metrics[i].empty();
      const std::string metric = is_named                   ? metrics[i]
                                 : study_.goals.size() == 1 ? "value"
                                                            : "value_" + std::to_string(i);
      objectives_.push_back({{"metric", metric}, {"goal", goal_text(study_.goals[i])}});
    }
  }

  const std::string& own_name(const std::string& name) {
    auto [found, is_new] = names_.try_emplace(name, plain_name(name));
    if (is_new && found->second != name)
      result_.notices.push_back("the parameter \"" + visible_text(name) + "\" is called " + found->second);
    if (is_new && !taken_.insert(found->second).second)
      refuse("two of its parameters would be called " + found->second, "rename one of them");
    return found->second;
  }

  Json value_of(const std::string& name, const OptunaParameter& parameter) {
    const std::string kind = parameter.distribution.value("name", "");
    const OrderedJson attributes = parameter.distribution.value("attributes", OrderedJson::object());
    const bool is_new = !ranges_.contains(name);
    Range& range = ranges_[name];
    const bool is_categorical = kind == "CategoricalDistribution";
    if (is_new) order_.push_back(name), range.is_categorical = is_categorical;
    if (range.is_categorical != is_categorical)
      refuse("the parameter " + name + " is a range in one trial and a list of choices in another",
             "import what was searched before and after that change by itself");
    if (is_categorical) {
      const OrderedJson choices = attributes.value("choices", OrderedJson::array());
      if (is_new) range.choices = choices;
      const auto index = static_cast<std::size_t>(parameter.value);
      if (!(parameter.value >= 0) || index >= choices.size())
        refuse("the value of " + name + " in one of its trials is none of its choices",
               "the file is damaged");
      if (std::find(range.choices.begin(), range.choices.end(), choices[index]) == range.choices.end())
        range.choices.push_back(choices[index]);
      return Json(choices[index]);
    }
    const std::optional<double> step = step_of(kind, attributes);
    const bool is_int = kind.starts_with("Int");
    if (!is_new && (step != range.step || is_int != range.is_int)) range.is_even = false;
    range.step = step;
    range.is_int = range.is_int && is_int;
    range.log = range.log || is_log(kind, attributes);
    const double low = attributes.value("low", parameter.value),
                 high = attributes.value("high", parameter.value);
    if (!is_new && range.step && low != range.low) range.is_even = false;
    range.low = std::min(range.low, low);
    range.high = std::max(range.high, high);
    return is_int ? Json(static_cast<std::int64_t>(parameter.value)) : Json(parameter.value);
  }

  void look_at(const OptunaTrial& trial) {
    if (trial.state == OptunaState::kRunning || trial.state == OptunaState::kWaiting) {
      ++open_;
      return;
    }
    Values values;
    for (const OptunaParameter& parameter : trial.parameters) {
      const std::string& name = own_name(parameter.name);
      values[name] = value_of(name, parameter);
    }
    ended_.emplace_back(&trial, std::move(values));
  }

  // The values of a categorical parameter with which `name` is there, and without which it is not: in all
  // trials that came to a value, since one that failed may have failed before it chose.
  std::optional<std::vector<Json>> values_with(const std::string& name, const std::string& parent) const {
    std::vector<Json> with, without;
    for (const auto& [trial, values] : ended_) {
      if (trial->state == OptunaState::kFail) continue;
      const bool has = values.contains(name);
      const auto value = values.find(parent);
      if (value == values.end()) {
        if (has) return std::nullopt;
        continue;
      }
      std::vector<Json>& list = has ? with : without;
      if (std::find(list.begin(), list.end(), value->second) == list.end()) list.push_back(value->second);
    }
    const auto is_without = [&](const Json& value) {
      return std::find(without.begin(), without.end(), value) != without.end();
    };
    if (with.empty() || std::any_of(with.begin(), with.end(), is_without)) return std::nullopt;
    return with;
  }

  bool is_in_all(const std::string& name) const {
    return std::all_of(ended_.begin(), ended_.end(), [&](const auto& one) {
      return one.first->state == OptunaState::kFail || one.second.contains(name);
    });
  }

  OrderedJson condition_of(const std::string& name) const {
    if (is_in_all(name)) return {};
    for (const std::string& parent : order_) {
      if (parent == name || !ranges_.at(parent).is_categorical) continue;
      // One that is bound to `name` itself cannot bind it.
      if (!is_in_all(parent) && values_with(parent, name)) continue;
      if (const auto values = values_with(name, parent)) return {{parent, *values}};
    }
    return {};
  }

  OrderedJson parameter_json(const std::string& name) const {
    const Range& range = ranges_.at(name);
    OrderedJson json;
    if (range.is_categorical) {
      json = {{"type", "categorical"}, {"values", range.choices}};
    } else {
      const auto number = [&](double value) {
        return range.is_int ? OrderedJson(static_cast<std::int64_t>(value)) : OrderedJson(value);
      };
      json = {
          {"type", range.is_int ? "int" : "float"}, {"min", number(range.low)}, {"max", number(range.high)}};
      if (range.log && range.low > 0) json["scale"] = "log";
      const bool counts = range.is_even && range.step && (!range.is_int || *range.step != 1);
      if (counts) json["step"] = number(*range.step);
    }
    if (OrderedJson when = condition_of(name); !when.is_null()) json["when"] = std::move(when);
    return json;
  }

  void write_spec() {
    OrderedJson& spec = result_.spec;
    spec["study"] = name_;
    if (objectives_.size() == 1)
      spec["objective"] = objectives_[0];
    else
      spec["objectives"] = objectives_;
    spec["parameters"] = OrderedJson::object();
    for (const std::string& name : order_) {
      const Range& range = ranges_.at(name);
      if (!range.is_categorical && range.low == range.high)
        spec["fixed"][name] =
            range.is_int ? OrderedJson(static_cast<std::int64_t>(range.low)) : OrderedJson(range.low);
      else
        spec["parameters"][name] = parameter_json(name);
    }
    spec["strategy"] = {{"name", "random"}};
    spec["limits"] = {{"trials", 1}};
    space_ = parse_spec(spec.dump(), file_, ".", SpecUse::kAskTell).space;
  }

  // What it had of the space; nullopt where that is no point of it.
  std::optional<ParameterSet> point_of(const Values& values) const {
    ParameterSet point;
    for (const auto& [name, value] : values)
      if (const auto index = space_.find(name)) point[name] = space_.parameters()[*index].canonical(value);
    return space_.objection(point) ? std::nullopt : std::optional(point);
  }

  // The trial's end, and its values: finite ones alone are values to us.
  void set_end(const OptunaTrial& trial, ImportedTrial& made) const {
    std::vector<double> values = trial.values;
    for (auto point = trial.reported.rbegin();
         values.empty() && study_.goals.size() == 1 && point != trial.reported.rend(); ++point)
      if (trial.state == OptunaState::kPruned && std::isfinite(point->value)) values.push_back(point->value);
    const bool are_finite =
        std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
    const bool has_all = values.size() == study_.goals.size();
    store::TrialRow& row = made.row;
    if (trial.state == OptunaState::kComplete && has_all && are_finite) {
      row.state = TrialState::kCompleted;
      row.values = values;
    } else if (trial.state == OptunaState::kPruned) {
      row.state = TrialState::kStopped;
      row.reason = "pruned by Optuna";
      if (has_all && are_finite) row.values = values;
    } else {
      row.state = TrialState::kFailed;
      row.failure = trial.state == OptunaState::kComplete ? "non_finite" : "crash";
      row.reason = trial.state == OptunaState::kComplete ? "its value was not finite" : "failed in Optuna";
    }
  }

  void add_trial(const OptunaTrial& trial, const Values& values) {
    const auto point = point_of(values);
    if (!point) {
      ++outside_;
      return;
    }
    ImportedTrial made;
    made.row.number = static_cast<int>(result_.trials.size()) + 1;
    made.row.parameters = *point;
    made.row.note = "trial " + std::to_string(trial.number) + " of Optuna's study " + study_.name;
    made.row.started = trial.started;
    made.row.ended = trial.completed ? trial.completed : trial.started;
    made.row.created = trial.started.value_or(trial.completed.value_or(WallTime()));
    set_end(trial, made);
    // Our steps count from 1, most programs' reports to Optuna from 0.
    const std::int64_t shift =
        trial.reported.empty() ? 0 : std::max<std::int64_t>(0, 1 - trial.reported[0].step);
    if (study_.goals.size() == 1)
      for (const MetricPoint& reported : trial.reported)
        made.curve.push_back({reported.step + shift, reported.value});
    result_.trials.push_back(std::move(made));
  }

  void say_left_out() {
    if (open_ > 0)
      result_.notices.push_back(plural_text(open_, "trial") + " had not ended, and " +
                                (open_ == 1 ? "is" : "are") + " left out");
    if (outside_ > 0)
      result_.notices.push_back(plural_text(outside_, "trial") + " did not have every parameter, and " +
                                (outside_ == 1 ? "is" : "are") + " left out");
  }

  const OptunaStudy& study_;
  const std::string name_, file_;
  OrderedJson objectives_ = OrderedJson::array();
  std::map<std::string, std::string> names_;  // ours by Optuna's
  std::set<std::string> taken_;
  std::map<std::string, Range> ranges_;
  std::vector<std::string> order_;  // of the parameters, as they came
  std::vector<std::pair<const OptunaTrial*, Values>> ended_;
  SearchSpace space_;
  int open_ = 0, outside_ = 0;
  ImportedStudy result_;
};

}  // namespace

ImportedStudy imported_study(const OptunaStudy& study, const std::string& name, const std::string& file) {
  return Reader(study, name, file).read();
}

}  // namespace tune::optuna

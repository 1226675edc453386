// The specs of a comparison's studies.
#include <algorithm>
#include <set>

#include "tuner/compare/comparison.h"
#include "tuner/compare/comparison_keys.h"
#include "tuner/core/json_positions.h"

namespace tune::compare {
namespace {

// Keys of the trainer that are about the test images: no training run gets to see them.
constexpr const char* kTestKey = "test";

// The studies of one role share a seed, so that trial n has the same one in each; those of different roles
// have different ones, so that what is trained anew is trained with fresh seeds.
std::uint64_t role_seed(const Comparison& comparison, StudyRole role) {
  constexpr std::uint64_t kApart = 1'000'003;
  const auto stream = is_trained_anew(role)          ? 2U
                      : role == StudyRole::kDefaults ? 0U
                      : role == StudyRole::kSearch   ? 1U
                                                     : 3U;
  return comparison.seed * kApart + stream;
}

const OrderedJson& approach_at(const OrderedJson& document, std::size_t approach) {
  return document.at("approaches").at(approach);
}

void merge(OrderedJson& into, const OrderedJson& object, const char* key) {
  if (!object.contains(key)) return;
  for (const auto& [name, value] : object.at(key).items()) into[name] = value;
}

OrderedJson merged(const OrderedJson& document, std::size_t approach, const char* key) {
  OrderedJson values = OrderedJson::object();
  merge(values, document, key);
  merge(values, approach_at(document, approach), key);
  return values;
}

// The trainer's keys as every study gets them. Without a word on it overlapping crops stay on one side.
OrderedJson trainer_of(const Comparison& comparison, std::size_t approach) {
  const OrderedJson& document = comparison.document;
  OrderedJson trainer = merged(document, approach, "trainer");
  trainer.erase(kTestKey);
  if (!comparison.task.has_split) return trainer;
  if (!trainer.contains("validation") && !trainer.contains("split")) trainer["split"] = OrderedJson::object();
  if (trainer.contains("split") && trainer["split"].is_object() && !trainer["split"].contains("grouping"))
    trainer["split"]["grouping"] = "content";
  // A third part is the test set, which is looked at once, by all together.
  if (comparison.test.split) trainer["split"]["test"] = "untouched";
  return trainer;
}

// Whatever trains the approach's studies, and how its metrics are read.
void add_trainer(const Comparison& comparison, std::size_t approach, OrderedJson& study) {
  const OrderedJson& document = comparison.document;
  const OrderedJson& own = approach_at(document, approach);
  const auto take = [&](const char* key) {
    if (own.contains(key))
      study[key] = own[key];
    else if (document.contains(key))
      study[key] = document[key];
  };
  if (comparison.approaches.at(approach).is_program)
    take("command");
  else
    study["trainer"] = trainer_of(comparison, approach);
  take("metrics");
  if (OrderedJson environment = merged(document, approach, "environment"); !environment.empty())
    study["environment"] = std::move(environment);
}

// What trains the approach, as its file has it: the trainer's keys, or its command.
OrderedJson trained_by(const Comparison& comparison, std::size_t approach) {
  const OrderedJson& document = comparison.document;
  if (!comparison.approaches.at(approach).is_program) return merged(document, approach, "trainer");
  const OrderedJson& own = approach_at(document, approach);
  return {{"command", own.contains("command") ? own["command"] : document.at("command")}};
}

OrderedJson limits_of(const OrderedJson& document, std::size_t approach, StudyRole role,
                      std::optional<int> trials) {
  OrderedJson limits = OrderedJson::object();
  merge(limits, document, "limits");
  for (const char* name : kBudgetLimits) limits.erase(name);
  if (role == StudyRole::kSearch) merge(limits, approach_at(document, approach).at("search"), "limits");
  if (trials) limits["trials"] = *trials;
  return limits;
}

OrderedJson strategy_of(const Comparison& comparison, std::size_t approach, StudyRole role) {
  OrderedJson strategy = OrderedJson::object();
  if (role == StudyRole::kSearch)
    merge(strategy, approach_at(comparison.document, approach).at("search"), "strategy");
  else
    strategy["name"] = "random";
  if (!strategy.contains("seed")) strategy["seed"] = role_seed(comparison, role);
  return strategy;
}

// The values that the approach has without tuning for what its search tunes: the search has to beat them, and
// begins there. Values outside its ranges are left out, and all values of a study that is refused.
OrderedJson point_before_tuning(const Comparison& comparison, const OrderedJson& study,
                                const OrderedJson& fixed) {
  OrderedJson point = OrderedJson::object();
  try {
    const Spec spec = parse_spec(study.dump(), comparison.file, comparison.folder);
    for (const Parameter& parameter : spec.space.parameters())
      if (fixed.contains(parameter.name) && !parameter.objection(fixed[parameter.name]))
        point[parameter.name] = fixed[parameter.name];
  } catch (const Error&) {  // the reader of this study says what is wrong with it
  }
  return point;
}

}  // namespace

const char* to_string(StudyRole role) {
  switch (role) {
    case StudyRole::kDefaults:
      return "defaults";
    case StudyRole::kSearch:
      return "search";
    case StudyRole::kTuned:
      return "tuned";
    case StudyRole::kRandom:
      return "random";
    case StudyRole::kRandomTuned:
      return "random-tuned";
  }
  return "";
}

bool is_search(StudyRole role) { return role == StudyRole::kSearch || role == StudyRole::kRandom; }

bool is_trained_anew(StudyRole role) { return role == StudyRole::kTuned || role == StudyRole::kRandomTuned; }

const char* to_string(ApproachTable table) {
  return table == ApproachTable::kPublished ? "published" : "improved";
}

std::string study_name(const Comparison& comparison, std::size_t approach, StudyRole role) {
  return comparison.name + "." + comparison.approaches.at(approach).name + "." + to_string(role);
}

std::vector<StudyRole> study_roles(const Comparison& comparison, std::size_t approach) {
  if (!comparison.approaches.at(approach).has_search) return {StudyRole::kDefaults};
  std::vector<StudyRole> roles{StudyRole::kSearch, StudyRole::kDefaults, StudyRole::kTuned};
  if (comparison.random_search) roles.insert(roles.end(), {StudyRole::kRandom, StudyRole::kRandomTuned});
  return roles;
}

OrderedJson study_spec_document(const Comparison& comparison, std::size_t approach, StudyRole role,
                                std::optional<int> trials, const ParameterSet& winner) {
  const OrderedJson& document = comparison.document;
  const OrderedJson& own = approach_at(document, approach);
  const OrderedJson untuned = merged(document, approach, "fixed");
  OrderedJson fixed = untuned;
  OrderedJson study;
  study["study"] = study_name(comparison, approach, role);
  study["objective"] = own.contains("objective") ? own["objective"] : document.at("objective");
  study["parameters"] = is_search(role) ? own.at("search").at("parameters") : OrderedJson::object();
  // A winner says which of the searched values it has; the others were not active.
  if (role != StudyRole::kDefaults)
    for (const auto& [name, parameter] : own.at("search").at("parameters").items()) fixed.erase(name);
  for (const auto& [name, value] : winner) fixed[name] = value;
  study["fixed"] = std::move(fixed);
  add_trainer(comparison, approach, study);
  study["strategy"] = strategy_of(comparison, approach, role);
  if (is_search(role) && own.at("search").contains("early_stopping"))
    study["early_stopping"] = own["search"]["early_stopping"];
  study["limits"] = limits_of(document, approach, role, trials);
  if (document.contains("resources")) study["resources"] = document["resources"];
  if (comparison.usd_per_hour) study["cost"] = {{"usd_per_hour", *comparison.usd_per_hour}};
  if (role == StudyRole::kSearch && !study["strategy"].contains("try_first"))
    if (OrderedJson point = point_before_tuning(comparison, study, untuned); !point.empty())
      study["strategy"]["try_first"] = OrderedJson::array({std::move(point)});
  return study;
}

Spec study_spec(const Comparison& comparison, const OrderedJson& document) {
  return parse_spec(document.dump(2),
                    comparison.file + " (the study " + document.at("study").get<std::string>() + ")",
                    comparison.folder);
}

std::optional<int> search_trials(const Comparison& comparison, std::size_t approach) {
  const OrderedJson limits = limits_of(comparison.document, approach, StudyRole::kSearch, {});
  return limits.contains("trials") ? std::optional(limits["trials"].get<int>()) : std::nullopt;
}

Objective approach_objective(const Comparison& comparison, std::size_t approach) {
  const OrderedJson study = study_spec_document(comparison, approach, StudyRole::kDefaults, 1);
  return parse_spec(study.dump(), comparison.file, comparison.folder).objective;
}

bool needs_builtin_trainer(const Comparison& comparison) {
  return std::any_of(comparison.approaches.begin(), comparison.approaches.end(),
                     [](const Approach& one) { return !one.is_program; });
}

std::string comparison_pointer(const OrderedJson& document, std::size_t approach,
                               const std::string& pointer) {
  const std::size_t end = pointer.find('/', 1);
  const std::string section = pointer.substr(0, end), own = element_pointer("/approaches", approach);
  const auto has = [&](const std::string& place) {
    return document.contains(OrderedJson::json_pointer(place));
  };
  static const std::set<std::string> of_search{"/parameters", "/strategy", "/early_stopping", "/limits"};
  if (section == "/study") return own + "/name";
  if (of_search.contains(section))
    return has(own + "/search" + section) || !has(pointer) ? own + "/search" + pointer : pointer;
  static const std::set<std::string> whole{"/objective", "/command", "/metrics"};
  if (whole.contains(section)) return has(own + section) ? own + pointer : pointer;
  static const std::set<std::string> by_key{"/trainer", "/fixed", "/environment"};
  if (!by_key.contains(section)) return pointer;
  // The key below decides, as approaches add to what they share.
  const std::size_t next = end == std::string::npos ? end : pointer.find('/', end + 1);
  const std::string key = pointer.substr(0, next);
  return has(own + key) || !has(key) ? own + pointer : pointer;
}

std::vector<std::string> approach_difference(const Comparison& comparison, std::size_t a, std::size_t b) {
  std::vector<std::string> different;
  for (const bool fixed : {false, true}) {
    const auto values_of = [&](std::size_t i) {
      return fixed ? merged(comparison.document, i, "fixed") : trained_by(comparison, i);
    };
    const OrderedJson first = values_of(a), second = values_of(b);
    std::set<std::string> names;
    for (const auto& values : {first, second})
      for (const auto& item : values.items()) names.insert(item.key());
    for (const std::string& name : names)
      if (first.value(name, OrderedJson()) != second.value(name, OrderedJson())) different.push_back(name);
  }
  return different;
}

std::vector<std::string> training_data(const Comparison& comparison, std::size_t approach) {
  const OrderedJson trainer = trained_by(comparison, approach);
  std::vector<std::string> data;
  for (const char* key : {"data", "validation"})
    if (const std::string name = trainer.value(key, ""); !name.empty()) data.push_back(name);
  return data;
}

std::string initial_weights(const Comparison& comparison, std::size_t approach) {
  return trained_by(comparison, approach).value("weights", "");
}

}  // namespace tune::compare

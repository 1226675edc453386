#pragma once
// search.json, version 1, read and checked.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/error.h"
#include "tuner/core/history.h"
#include "tuner/core/json.h"
#include "tuner/core/metric_definition.h"
#include "tuner/core/preference.h"
#include "tuner/core/regex_objection.h"
#include "tuner/core/resources.h"
#include "tuner/core/search_settings.h"
#include "tuner/core/space.h"
#include "tuner/spec/limits.h"
#include "tuner/spec/notification.h"
#include "tuner/spec/requirement.h"
#include "tuner/spec/retry.h"
#include "tuner/spec/runner_settings.h"

namespace tune {

// An earlier study of the same store to learn from.
struct WarmStartSpec {
  std::string study;
  WarmStart kind = WarmStart::kTransfer;
  std::map<std::string, Json> assume = {};  // what earlier trials had of parameters that they did not search
};

struct Spec {
  std::string study;
  Objective objective;  // of two, the first
  std::optional<Objective> second_objective;
  SearchSpace space;
  OrderedJson fixed = OrderedJson::object();
  std::optional<Json> trainer;       // a built-in trainer: task, model, recipe, data, ...
  std::vector<std::string> command;  // any other program; empty when `trainer` is set
  std::map<std::string, EnvironmentValue> environment;
  std::vector<MetricDefinition> metrics;
  StrategySpec strategy;
  std::vector<WarmStartSpec> warm_start;
  EarlyStopping early_stopping;
  Limits limits;
  Retry retry;
  Resources resources;
  RunnerSettings runner;
  std::optional<double> usd_per_hour;  // per device lease
  std::optional<std::string> promote_model;
  std::optional<Requirement> require;  // what a version must show before it is promoted
  std::optional<Replicates> replicates;
  std::vector<Notification> notify;
  std::optional<Preference> prefer;  // where there are two objectives: which trial of the front is promoted

  std::filesystem::path folder;  // where relative paths start: the spec file's folder, absolute
  std::string file;              // as messages name it
  std::string text;  // as written. To read a spec again, parse this: the order of parameters counts
  Json document;     // as parsed (sorted keys), for the store and for comparing
  std::vector<Problem> warnings;  // suspicious, not wrong: a loss that is maximized and the like
};

// What a spec is read for: `ask-tell` and the like need neither a trainer nor metrics.
enum class SpecUse { kRun, kAskTell };

// Why a metric's regex cannot be used, with a cure; nullopt if it can. Regexes are somebody else's to know.
using RegexCheck = std::function<std::optional<RegexObjection>(const std::string& regex)>;

// Reads and checks a spec, its regexes by `check` if that is given. Throws SpecError with every problem
// found, Error(kNotFound) when there is no such file.
Spec read_spec(const std::filesystem::path& file, SpecUse use = SpecUse::kRun, const RegexCheck& check = {});
// The same from text; `name` stands for the file in messages, `folder` is where relative paths start.
Spec parse_spec(const std::string& text, const std::string& name, const std::filesystem::path& folder,
                SpecUse use = SpecUse::kRun, const RegexCheck& check = {});

// Gives problems that were found later, by pointer alone, their lines and columns, and puts them in the order
// of the text. `text` is that of a spec that was read.
void locate_problems(const std::string& text, std::vector<Problem>& problems);

// One place where two spec documents differ.
struct SpecChange {
  std::string pointer;  // "/limits/trials"
  std::string line;     // "/limits/trials: 20 -> 40"
  // Whether a study that has begun goes on with it: it says how long or at what price is searched, not what.
  bool is_harmless = false;
};
// Empty when the two mean the same.
std::vector<SpecChange> spec_changes(const Json& old_document, const Json& new_document);
// Their lines.
std::vector<std::string> spec_difference(const Json& old_document, const Json& new_document);

// Why a study with this strategy cannot have these limits' convergence, as a message and a hint alone;
// nullopt if it can. Only what is modelled is expected to be so much better.
std::optional<Problem> convergence_problem(const Limits& limits, const StrategySpec& strategy);

// Draft-07 JSON Schema of the spec, from the same tables that read_spec checks against.
OrderedJson spec_schema();

}  // namespace tune

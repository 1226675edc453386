#include "tuner/engine/study/warm_start.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "store/store_listing.h"
#include "store/study_store.h"
#include "strategies/search_view.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/json_positions.h"
#include "tuner/core/number_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/rng.h"
#include "tuner/core/store_layout.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kFillStream = std::uint64_t{1} << 40;  // beyond every trial's own random numbers

struct EarlierStudy {
  store::StudyRow row;
  History history;
};

// A fixed value may be a number that was written as a text, as other tuners' requests have it.
Json as_number(const Parameter& parameter, const Json& value) {
  if (parameter.type == ParameterType::kCategorical || !value.is_string()) return value;
  const auto number = finite_number_in(value.get_ref<const std::string&>());
  return number ? Json(*number) : value;
}

// Turns the trials of one study into points of the space, and counts what it cannot turn.
class Translation {
 public:
  Translation(const SearchSpace& space, const WarmStartSpec& wanted, const Json& fixed, Rng rng)
      : space_(space), kind_(wanted.kind), assumed_(wanted.assume), fixed_(fixed), rng_(rng) {}

  std::optional<ParameterSet> translate(const ParameterSet& earlier) {
    for (const auto& [name, value] : earlier)
      if (!space_.find(name)) dropped_.insert(name);
    ParameterSet point;
    for (const std::size_t index : space_.dependency_order()) {
      const Parameter& parameter = space_.parameters()[index];
      if (!space_.is_active(index, point)) continue;
      std::optional<Json> value = known_value(parameter.name, earlier);
      if (!value && kind_ == WarmStart::kIdentical) {
        missing_.insert(parameter.name);
        ++incomplete;
        return std::nullopt;
      }
      if (!value) {
        missing_.insert(parameter.name);
        value = parameter.from_unit(rng_.uniform());
      }
      *value = parameter.canonical(as_number(parameter, *value));
      if (parameter.objection(*value)) {
        ++outside;
        return std::nullopt;
      }
      point.emplace(parameter.name, std::move(*value));
    }
    return point;
  }

  std::string explanation() const {
    std::string text;
    if (outside > 0) text += "; " + std::to_string(outside) + " outside the new ranges left out";
    if (incomplete > 0)
      text += "; " + std::to_string(incomplete) + " without " + listed(missing_) +
              " left out (\"assume\" says what it was)";
    if (incomplete == 0 && !missing_.empty()) text += "; random values for its missing " + listed(missing_);
    for (const auto& [name, value] : assumed_) {
      if (used_.contains(name)) text += "; " + name + " taken as " + argument_text(value);
      if (own_.contains(name)) text += "; its own " + name + " instead of the one assumed";
    }
    if (!dropped_.empty()) text += "; its " + listed(dropped_) + " is not searched here";
    return text;
  }

  int outside = 0, incomplete = 0;

 private:
  static std::string listed(const std::set<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
  }

  std::optional<Json> known_value(const std::string& name, const ParameterSet& earlier) {
    const auto searched = earlier.find(name);
    if (const auto fixed = fixed_.find(name); searched != earlier.end() || fixed != fixed_.end()) {
      if (assumed_.contains(name)) own_.insert(name);
      return searched != earlier.end() ? searched->second : *fixed;
    }
    if (const auto value = assumed_.find(name); value != assumed_.end()) {
      used_.insert(name);
      return value->second;
    }
    return std::nullopt;
  }

  const SearchSpace& space_;
  const WarmStart kind_;
  const std::map<std::string, Json>& assumed_;
  const Json fixed_;
  Rng rng_;
  std::set<std::string> dropped_, missing_, used_, own_;
};

// Of what did not fit the values are those of other hyperparameters: for its own it ran out of memory.
bool is_useful(const TrialView& trial, WarmStart kind) {
  if (trial.did_not_fit) return kind == WarmStart::kIdentical && is_finished(trial.state);
  const bool has_value = !trial.values.empty();
  if (kind == WarmStart::kTransfer) return trial.state == TrialState::kCompleted && has_value;
  return trial.state == TrialState::kFailed || (is_finished(trial.state) && has_value);
}

// Reads what the spec names, one study after the other.
class WarmStartReader {
 public:
  WarmStartReader(fs::path store, const Spec& spec, std::uint64_t seed)
      : store_(std::move(store)), spec_(spec), seed_(seed) {}

  WarmStartTrials read() {
    for (std::size_t i = 0; i < spec_.warm_start.size(); ++i) {
      const std::string place = element_pointer("/warm_start", i) + "/study";
      if (const auto earlier = open(spec_.warm_start[i].study, place)) {
        check(*earlier, spec_.warm_start[i].kind, place);
        take(*earlier, spec_.warm_start[i], i);
      }
    }
    if (!problems_.empty()) {
      locate_problems(spec_.text, problems_);
      throw SpecError(spec_.file, std::move(problems_));
    }
    return std::move(result_);
  }

 private:
  void add_problem(const std::string& place, std::string message, std::string hint) {
    problems_.push_back({0, 0, place, std::move(message), std::move(hint)});
  }

  std::optional<EarlierStudy> open(const std::string& name, const std::string& place) {
    if (name == spec_.study) {  // --name may have made it so
      add_problem(place, "a study cannot learn from itself", "name an earlier study");
      return std::nullopt;
    }
    try {
      const store::StudyStore earlier(study_database(store_ / name), store::OpenMode::kRead);
      History history = earlier.load_history();
      // What was repeated there counts once, with its mean.
      if (auto view = strategies::with_means(history)) history = *std::move(view);
      return EarlierStudy{earlier.study(), std::move(history)};
    } catch (const Error& error) {
      if (error.code() != ExitCode::kNotFound) throw;
    }
    const std::vector<std::string> names = store::study_names(store_);
    add_problem(place, "there is no study \"" + name + "\" in " + store_.string(),
                names.empty() ? "the store has no studies; --store names another"
                              : name_hint(name, names, "its studies"));
    return std::nullopt;
  }

  void check(const EarlierStudy& earlier, WarmStart kind, const std::string& place) {
    const Objective &theirs = earlier.row.objective, &ours = spec_.objective;
    const auto goal = [](Goal value) { return value == Goal::kMaximize ? "maximizes" : "minimizes"; };
    if (theirs.goal != ours.goal)
      add_problem(place,
                  "\"" + earlier.row.name + "\" " + goal(theirs.goal) + " " + theirs.metric +
                      ", and this study " + goal(ours.goal) + " " + ours.metric,
                  "name a study with the same goal");
    if (theirs.goal == ours.goal && kind == WarmStart::kIdentical && theirs.metric != ours.metric)
      add_problem(place,
                  "\"" + earlier.row.name + "\" has the metric \"" + theirs.metric + "\", not \"" +
                      ours.metric + "\"",
                  "\"kind\": \"transfer\" learns from another metric too");
    const Json empty = Json::object();
    const auto parameters = earlier.row.spec.find("parameters");
    const Json& searched = parameters == earlier.row.spec.end() ? empty : *parameters;
    const auto& own = spec_.space.parameters();
    if (std::none_of(own.begin(), own.end(), [&](const Parameter& p) { return searched.contains(p.name); })) {
      std::string names;
      for (const auto& [name, value] : searched.items()) names += (names.empty() ? "" : ", ") + name;
      add_problem(place, "\"" + earlier.row.name + "\" shares no parameter with this study",
                  "it searched " + (names.empty() ? std::string("nothing") : names));
    }
  }

  void take(const EarlierStudy& earlier, const WarmStartSpec& wanted, std::size_t position) {
    Translation translation(spec_.space, wanted, earlier.row.spec.value("fixed", Json::object()),
                            Rng(seed_, kFillStream + position));
    int useful = 0, taken = 0;
    for (const auto& trial : earlier.history.trials) {
      if (!is_useful(*trial, wanted.kind)) continue;
      ++useful;
      auto point = translation.translate(trial->parameters);
      if (!point) continue;
      ++taken;
      auto view = std::make_shared<TrialView>();
      view->number = trial->number;
      view->parameters = std::move(*point);
      view->state = trial->did_not_fit ? TrialState::kFailed : trial->state;
      view->budget = trial->budget;
      if (!trial->did_not_fit) view->values = trial->values;
      view->failure = trial->did_not_fit ? "oom" : trial->failure;
      result_.trials.push_back({wanted.study, wanted.kind, std::move(view)});
    }
    result_.notices.push_back("learns from " + std::to_string(taken) + " of " + plural_text(useful, "trial") +
                              " of \"" + wanted.study + "\" (" + to_string(wanted.kind) + ")" +
                              translation.explanation());
    result_.counts.push_back({wanted.study, wanted.kind, taken, translation.outside, translation.incomplete});
  }

  const fs::path store_;
  const Spec& spec_;
  const std::uint64_t seed_;
  std::vector<Problem> problems_;
  WarmStartTrials result_;
};

}  // namespace

WarmStartTrials read_warm_start(const fs::path& store, const Spec& spec, std::uint64_t seed) {
  return WarmStartReader(store, spec, seed).read();
}

}  // namespace tune::engine

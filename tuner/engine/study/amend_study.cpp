#include "tuner/engine/study/amend_study.h"

#include <algorithm>
#include <set>
#include <utility>

#include "store/store_listing.h"
#include "store/study_versions.h"
#include "strategies/strategy.h"
#include "tuner/core/error.h"
#include "tuner/core/placed_point.h"
#include "tuner/core/plural_text.h"
#include "tuner/engine/promotion/promotion.h"
#include "tuner/engine/study/asked_study.h"
#include "tuner/engine/study/study_opening.h"
#include "tuner/os/crash_point.h"
#include "tuner/spec/spec_amendment.h"

namespace tune::engine {
namespace {

HeldStudy held(const AmendRequest& request) {
  const std::string& study = request.spec.study;
  try {
    return require_held_study(request.store, study);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kConflict) throw;
    throw Error(ExitCode::kConflict, error.what(),
                "a study that runs keeps its space: `tune stop " + study +
                    "` interrupts it, and `tune resume " + study + "` goes on in the new one");
  }
}

std::string joined_lines(const std::string& head, const std::vector<std::string>& lines) {
  std::string text = head;
  for (const std::string& line : lines) text += "\n  " + line;
  return text;
}

class Amendment {
 public:
  Amendment(const AmendRequest& request, const Clock& clock, store::StudyStore& store)
      : request_(request), spec_(request.spec), clock_(clock), store_(store), row_(store.study()) {}

  AmendReport make() {
    const SpecAmendment wanted = spec_amendment(row_.spec, spec_.document);
    report_.changes = wanted.lines;
    if (!wanted.objections.empty())
      throw Error(
          ExitCode::kConflict,
          joined_lines("the study \"" + row_.name + "\" cannot go on with this spec:", wanted.objections),
          "take these back, or start another study with --name, which may learn from this one by "
          "\"warm_start\"");
    assume(wanted);
    if (wanted.lines.empty() && report_.assumed == store::assumed_values(row_.facts))
      return std::move(report_);
    const std::vector<store::TrialRow> trials = store_.trials();
    place(trials);
    all_trials_ = static_cast<int>(trials.size());
    require_values(wanted);
    if (!request_.force) require_winners();
    notice_waiting(trials);
    write();
    return std::move(report_);
  }

 private:
  // What earlier trials had: by earlier amendments, where it was fixed, and as the person says.
  void assume(const SpecAmendment& wanted) {
    for (const auto& [name, value] : store::assumed_values(row_.facts))
      if (spec_.space.find(name)) report_.assumed[name] = value;
    for (const auto& [name, value] : wanted.were_fixed) report_.assumed[name] = value;
    for (const auto& [name, value] : request_.assume) {
      const auto index = spec_.space.find(name);
      if (!index)
        throw Error(ExitCode::kUsage, "--assume: there is no parameter \"" + name + "\" in the spec",
                    "name a parameter that the spec adds");
      const bool is_added = std::find(wanted.added.begin(), wanted.added.end(), name) != wanted.added.end();
      if (!is_added && !report_.assumed.contains(name))
        throw Error(ExitCode::kUsage, "--assume: earlier trials have values of their own of \"" + name + "\"",
                    "name only parameters that the spec adds");
      if (const auto fixed = wanted.were_fixed.find(name);
          fixed != wanted.were_fixed.end() && fixed->second != value)
        throw Error(ExitCode::kUsage,
                    "--assume: \"" + name + "\" was fixed at " + argument_text(fixed->second) +
                        " in the earlier trials",
                    "leave it out");
      report_.assumed[name] = spec_.space.parameters()[*index].canonical(value);
    }
  }

  void place(const std::vector<store::TrialRow>& trials) {
    const ParameterSet fixed = spec_.document.value("fixed", Json::object()).get<ParameterSet>();
    for (const store::TrialRow& trial : trials) {
      if (trial.facts.deleted || trial.facts.rerun_of) continue;
      ++report_.trials;
      const PlacedPoint placed = placed_point(spec_.space, trial.parameters, report_.assumed, fixed);
      if (!placed.point) report_.outside[trial.number] = placed.objection;
    }
  }

  void require_values(const SpecAmendment& wanted) const {
    if (request_.force || report_.outside.empty()) return;
    for (const std::string& name : wanted.added)
      if (!report_.assumed.contains(name))
        throw Error(ExitCode::kUsage,
                    "\"" + name + "\" is new, and nothing says what it was in the " +
                        plural_text(report_.trials, "trial") + " that the study has",
                    "--assume " + name + "=VALUE says it; with --force the search learns nothing from them");
  }

  // The trial that the search is about.
  void require_winners() const {
    const auto refuse = [&](int trial, const std::string& what) {
      const auto outside = report_.outside.find(trial);
      if (outside == report_.outside.end()) return;
      throw Error(ExitCode::kConflict,
                  what + " of \"" + row_.name + "\" would be no point of the new space: " + outside->second,
                  "let the space hold it, or amend with --force: it stays the study's " +
                      std::string("trial ") + std::to_string(trial) +
                      " in every report, and the search learns nothing from it");
    };
    const History history = store_.load_history();
    if (const auto winner = winner_of(history, row_.spec)) {
      refuse(*winner,
             (history.second ? "the preferred trial, " : "the best trial, ") + std::to_string(*winner) + ",");
    } else if (const TrialView* const best = history.best()) {
      refuse(best->number, "the best trial, " + std::to_string(best->number) + ",");
    }
    for (const auto& [version, is_current, promotions] :
         store::versions_of_study(request_.store, row_.name, row_.created))
      if (is_current)
        refuse(version.trial, "trial " + std::to_string(version.trial) + ", of which " + version.model +
                                  " version " + std::to_string(version.version) + " was made,");
  }

  void notice_waiting(const std::vector<store::TrialRow>& trials) {
    for (const store::TrialRow& trial : trials) {
      if (is_finished(trial.state) || !report_.outside.contains(trial.number)) continue;
      const bool is_paused = trial.state == TrialState::kPaused;
      report_.notices.push_back("trial " + std::to_string(trial.number) + " is " + to_string(trial.state) +
                                " outside the new space: it " +
                                (is_paused ? "will not go on" : "runs with the values that it has") +
                                "; `tune stop " + row_.name + '/' + std::to_string(trial.number) +
                                "` ends it");
    }
  }

  void write() {
    const WallTime now = clock_.wall_now();
    Json outside = Json::array();
    for (const auto& [trial, why] : report_.outside) outside.push_back(trial);
    std::string message = request_.who + " amended the spec:";
    for (const std::string& line : report_.changes) message += (message.ends_with(':') ? " " : "; ") + line;
    store::EventRow event{0, now, "spec_amended", 0, 0, Json::object()};
    event.data = {{"message", message},  {"who", request_.who},           {"changes", report_.changes},
                  {"before", row_.spec}, {"before_text", row_.spec_text}, {"trials", all_trials_},
                  {"outside", outside},  {"assumed", report_.assumed}};
    take_limits(row_, spec_, spec_changes(row_.spec, spec_.document));
    row_.spec = spec_.document;
    row_.spec_text = request_.spec_text;
    row_.folder = spec_.folder.string();
    row_.updated = now;
    row_.facts.amendments.push_back({now, request_.who, all_trials_, report_.assumed, report_.changes});
    // There may be points left to try now.
    const auto end = store::study_end_in(row_.finish_reason);
    if (end == store::StudyEnd::kSpaceExhausted || end == store::StudyEnd::kConvergence) {
      row_.state = store::StudyState::kInterrupted;
      row_.finish_reason = "the spec was amended";
    }
    store::StudyStore::Transaction transaction(store_, Durability::kPower);
    store_.append_event(event);
    store_.update_spec(row_);
    store_.update_study(row_);
    crash_point("amending");
    transaction.commit();
    crash_point("amended");
  }

  const AmendRequest& request_;
  const Spec& spec_;
  const Clock& clock_;
  store::StudyStore& store_;
  store::StudyRow row_;
  AmendReport report_;
  int all_trials_ = 0;  // deleted ones and repeats too: the numbers up to which trials are earlier ones
};

}  // namespace

AmendReport amend_study(const AmendRequest& request, const Clock& clock) {
  const Spec& spec = request.spec;
  // What the new space makes impossible (a grid without levels) is found before anything is written.
  strategies::make_strategy(spec.strategy, spec.space, spec.objective, 0);
  if (const auto comparison = store::comparison_of(request.store, spec.study))
    throw Error(ExitCode::kConflict,
                "\"" + spec.study + "\" is a study of the comparison \"" + *comparison +
                    "\", which says how it searches",
                "change the comparison's file, and begin it anew with --name");
  // Before it is held, which its session may do.
  if (is_asked_study(request.store / spec.study))
    throw Error(ExitCode::kConflict,
                "the trials of \"" + spec.study + "\" are run by another program, through ask-tell",
                "such a study keeps its spec: give this one another name, and begin it with `tune ask-tell "
                "--spec FILE --store DIR`; it learns from this study by \"warm_start\": [{\"study\": \"" +
                    spec.study + "\", \"kind\": \"identical\"}] in the spec");
  HeldStudy study = held(request);
  require_own_name(*study.store);
  return Amendment(request, clock, *study.store).make();
}

}  // namespace tune::engine

#include "tuner/serve/importance_view.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "tuner/live/study_importance.h"
#include "tuner/serve/age.h"

namespace tune::serve {
namespace {

constexpr std::size_t kMostForImportance = 1000;
constexpr std::size_t kMostKept = 256;
constexpr int kRestTimesCost = 30;

std::size_t count_completed(const StudyTable& table) {
  const std::vector<store::TrialRow>& trials = table.rows().trials;
  return static_cast<std::size_t>(
      std::count_if(trials.begin(), trials.end(),
                    [](const store::TrialRow& trial) { return trial.state == TrialState::kCompleted; }));
}

// What the mathematics sees: of a large study so many of its trials, evenly drawn, and none of
// its curves.
History history_of(const StudyTable& table) {
  const report::StudyRows& rows = table.rows();
  if (rows.trials.size() <= kMostForImportance) return table.store().load_history();
  std::vector<const store::TrialRow*> completed;
  for (const store::TrialRow& trial : rows.trials) {
    const bool is_repeat = trial.facts.replicate_of || trial.facts.rerun_of;
    if (trial.state == TrialState::kCompleted && !is_repeat) completed.push_back(&trial);
  }
  History history;
  history.objective = rows.study.objective;
  history.second = rows.study.second;
  const std::size_t most = std::min(completed.size(), kMostForImportance);
  for (std::size_t i = 0; i < most; ++i) {
    const store::TrialRow& trial = *completed[i * completed.size() / most];
    auto view = std::make_shared<TrialView>();
    view->number = history.next_number();
    view->parameters = table.parameters_of(trial.number);
    view->state = trial.state;
    view->budget = trial.budget;
    view->values = trial.values;
    const bool is_outside = !table.space() || table.space()->objection(view->parameters).has_value();
    view->role = is_outside ? SearchRole::kNothing : SearchRole::kPoint;
    history.trials.push_back(std::move(view));
  }
  return history;
}

}  // namespace

bool ImportanceView::is_good(const Kept& kept, WallTime created, std::size_t completed) const {
  if (kept.created != created) return false;
  const std::size_t more =
      completed > kept.completed ? completed - kept.completed : kept.completed - completed;
  return more == 0 || more * 20 < completed || age_of(kept.made) < kRestTimesCost * kept.took;
}

http::Response ImportanceView::answer(const std::string& study) {
  std::optional<Kept> known;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(study); found != kept_.end()) known = found->second;
  }
  WallTime created{};
  std::size_t completed = 0;
  book_.with(study, [&](StudyTable& table) {
    created = table.rows().study.created;
    completed = count_completed(table);
  });
  if (known && is_good(*known, created, completed)) return known->response;
  // Somebody computes it already: an answer that is a little old will do meanwhile.
  std::unique_lock one_at_a_time(computing_, std::defer_lock);
  if (known && known->created == created) {
    if (!one_at_a_time.try_lock()) return known->response;
  } else {
    one_at_a_time.lock();
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(study);
    if (found != kept_.end() && is_good(found->second, created, completed)) return found->second.response;
  }
  std::optional<SearchSpace> space;
  History history;
  book_.with(study, [&](StudyTable& table) {
    space = table.space();
    history = history_of(table);
  });
  const SteadyTime begin = std::chrono::steady_clock::now();
  const auto second = live::second_importance(space, history);
  Kept made;
  made.response = http::Response::json(
      {{"schema", 1},
       {"study", study},
       {"importance", report::importance_json(live::importance_rows(live::study_importance(space, history)))},
       {"second_importance", second ? report::importance_json(live::importance_rows(*second)) : Json()}});
  made.created = created;
  made.completed = completed;
  made.made = std::chrono::steady_clock::now();
  made.took = age_of(begin);
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= kMostKept) kept_.clear();
  kept_[study] = made;
  return made.response;
}

}  // namespace tune::serve

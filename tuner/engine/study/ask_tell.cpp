#include "tuner/engine/study/ask_tell.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "strategies/replicating.h"
#include "tuner/core/error.h"
#include "tuner/engine/loop/suggest.h"

namespace tune::engine {
namespace {

// Classes of failures that strategies may know.
constexpr std::array<std::string_view, 7> kFailures{"oom",   "non_finite", "bad_data", "timeout",
                                                    "crash", "lost",       "no_metric"};

std::string failure_class(const std::string& reason) {
  const bool known = std::find(kFailures.begin(), kFailures.end(), reason) != kFailures.end();
  return known ? reason : "crash";
}

History history_of(const AskTell::Parts& parts) {
  if (parts.store != nullptr) return history_in(*parts.store, parts.spec.space);
  History history{parts.spec.objective, {}};
  history.second = parts.spec.second_objective;
  return history;
}

AskedTrial asked(const TrialView& trial, bool is_resumed) {
  return {trial.number, trial.parameters, trial.budget, is_resumed, trial.replicate_of};
}

StatusEvent about(StatusKind kind, const store::TrialRow& row) {
  StatusEvent event;
  event.kind = kind;
  event.trial = row.number;
  event.state = row.state;
  event.parameters = row.parameters;
  if (!row.values.empty()) event.value = row.values.front();
  event.replicate_of = row.facts.replicate_of;
  if (row.values.size() > 1) event.second_value = row.values[1];
  return event;
}

}  // namespace

void AskTell::Listener::on_event(const StatusEvent& event) {
  if (event.kind == StatusKind::kNotice && parts_.on_notice) parts_.on_notice(event.message);
}

AskTell::AskTell(Parts parts)
    : parts_(std::move(parts)),
      book_(history_of(parts_)),
      listener_(parts_),
      completion_(parts_.spec.limits, parts_.spec.objective,
                  parts_.store == nullptr ? std::vector<store::TrialRow>() : parts_.store->trials(), {},
                  parts_.spec.second_objective),
      begin_(parts_.clock.steady_now()) {
  for (int number = 1; number < book_.next_number(); ++number) {
    if (!is_open(book_.trial(number).state)) continue;
    book_.open(number);
    ++open_;
  }
  if (parts_.store == nullptr) return;
  for (const store::TrialRow& trial : parts_.store->trials())
    if (trial.facts.resumed == true) resumed_.insert(trial.number);
  // A caller waits for its answer: it hears of a full disk at once, and may try again.
  journal_.emplace(*parts_.store, parts_.clock, listener_, [] { return false; });
  study_ = parts_.store->study();
  if (had_converged(study_)) completion_.resume_converged();
  elapsed_before_ = study_.elapsed_seconds;
  study_.state = store::StudyState::kRunning;
  study_.finish_reason.clear();
  journal_->commit([&](Journal::Entry& entry) { save_study(entry.store()); });
}

Milliseconds AskTell::elapsed() const {
  const auto now = std::chrono::duration_cast<Milliseconds>(parts_.clock.steady_now() - begin_);
  return now + Milliseconds(static_cast<std::int64_t>(elapsed_before_ * 1000));
}

bool AskTell::is_out_of_time() const {
  const Limits& limits = parts_.spec.limits;
  return limits.time && elapsed() >= *limits.time;
}

bool AskTell::has_room_for_trials() const {
  const Limits& limits = parts_.spec.limits;
  return !limits.trials || book_.searched() < *limits.trials;
}

bool AskTell::may_start() const {
  return !is_out_of_time() && !completion_.reached() && has_room_for_trials();
}

Asked AskTell::ask(int count, std::optional<int> most) {
  Asked answer;
  while (static_cast<int>(answer.trials.size()) < count) {
    const bool has_most = most && book_.searched() >= *most;
    const bool may_begin = may_start() && !has_most;
    // What `most` leaves out may come later: the search has not ended.
    const bool may_repeat = parts_.spec.replicates && !(has_most && may_start());
    const bool may_resume = !completion_.reached() && book_.paused() > 0;
    if (!may_begin && (is_out_of_time() || (!may_repeat && !may_resume))) {
      answer.kind = Asked::Kind::kExhausted;
      break;
    }
    const Suggested suggested = suggest(parts_.strategy, parts_.spec.space, parts_.seed,
                                        book_.snapshot(may_begin, completion_.reached().has_value()));
    if (!suggested.notice.empty()) {
      if (journal_) {
        journal_->notice(suggested.notice);
      } else if (parts_.on_notice) {
        parts_.on_notice(suggested.notice);
      }
    }
    const auto* suggestion = std::get_if<strategies::Suggestion>(&suggested.answer);
    if (suggestion == nullptr || (suggestion->replicate_of && !may_repeat) ||
        (!suggestion->resume_trial && !suggestion->replicate_of && !may_begin)) {
      // Nothing runs that it could wait for: the strategy is at its end.
      const bool waits = std::holds_alternative<strategies::Wait>(suggested.answer) && open_ > 0;
      answer.kind = waits ? Asked::Kind::kWait : Asked::Kind::kExhausted;
      break;
    }
    try {
      answer.trials.push_back(suggestion->resume_trial ? start_again(*suggestion) : start(*suggestion));
    } catch (const Error& error) {
      // What has begun is in the store, and its caller has to hear of it; who asks again hears of the rest.
      const bool may_pass = error.code() == ExitCode::kEnvironment || error.code() == ExitCode::kConflict;
      if (answer.trials.empty() || !may_pass) throw;
      break;
    }
    if (!suggestion->replicate_of) completion_.on_suggestion(*suggestion);
  }
  exhausted_ = answer.kind == Asked::Kind::kExhausted && !(most && may_start());
  if (!answer.trials.empty()) answer.kind = Asked::Kind::kTrials;
  return answer;
}

AskedTrial AskTell::start(const strategies::Suggestion& suggestion) {
  TrialView view;
  view.number = book_.next_number();
  view.parameters = suggestion.parameters;
  view.budget = suggestion.budget;
  view.state = TrialState::kRunning;
  view.replicate_of = suggestion.replicate_of;
  study_.facts.search_end.reset();
  if (view.replicate_of)
    study_.facts.search_end = to_string(completion_.end_of_search(has_room_for_trials()));
  if (journal_) {
    store::TrialRow row;
    row.number = view.number;
    row.parameters = view.parameters;
    row.budget = view.budget;
    row.state = view.state;
    row.note = suggestion.note;
    row.facts.replicate_of = suggestion.replicate_of;
    row.facts.explanation = suggestion.explanation;
    row.facts.explanation.emplace("strategy", parts_.spec.strategy.name);
    row.created = parts_.clock.wall_now();
    row.started = row.created;
    journal_->commit([&](Journal::Entry& entry) {
      entry.store().insert_trial(row);
      StatusEvent event = about(StatusKind::kTrialQueued, row);
      event.message = row.note;
      entry.event(std::move(event));
      save_study(entry.store());
    });
  }
  AskedTrial answer = asked(view, false);
  book_.add(std::move(view));
  ++open_;
  return answer;
}

AskedTrial AskTell::add(const ParameterSet& parameters) {
  strategies::Suggestion suggestion;
  for (const auto& [name, value] : parameters) {
    const auto index = parts_.spec.space.find(name);
    suggestion.parameters[name] = index ? parts_.spec.space.parameters()[*index].canonical(value) : value;
  }
  if (const auto why = parts_.spec.space.objection(suggestion.parameters))
    throw Error(ExitCode::kUsage, "the parameters are not a point of the space: " + *why,
                "give every active parameter of the spec a value of its range");
  suggestion.note = "added by the caller";
  return start(suggestion);
}

AskedTrial AskTell::start_again(const strategies::Suggestion& suggestion) {
  const int number = suggestion.resume_trial.value();
  if (journal_) {
    auto row = parts_.store->trial(number);
    TUNE_CHECK(row.has_value());
    row->state = TrialState::kRunning;
    row->budget = suggestion.budget;
    row->values.clear();
    row->facts.resumed = true;
    journal_->commit([&](Journal::Entry& entry) {
      entry.store().update_trial(*row);
      StatusEvent event = about(StatusKind::kTrialQueued, *row);
      event.message = suggestion.note;
      entry.event(std::move(event));
    });
  }
  book_.set_state(number, TrialState::kRunning);
  book_.set_budget(number, suggestion.budget);
  resumed_.insert(number);
  ++open_;
  return asked(book_.trial(number), true);
}

const TrialView& AskTell::open_trial(int number) const {
  const int last = book_.next_number() - 1;
  if (number < 1 || number > last) {
    throw Error(ExitCode::kUsage, "there is no trial " + std::to_string(number),
                last == 0 ? "ask for one first" : "the last one is " + std::to_string(last));
  }
  const TrialView& trial = book_.trial(number);
  if (!is_open(trial.state)) {
    throw Error(ExitCode::kUsage,
                "trial " + std::to_string(number) + " was told already: it is " + to_string(trial.state));
  }
  return trial;
}

strategies::Verdict AskTell::report(int number, std::optional<std::int64_t> step, double value,
                                    std::optional<double> seconds, bool is_second) {
  const TrialView& trial = open_trial(number);
  const std::vector<MetricPoint>& curve = is_second ? trial.second_curve : trial.curve;
  const MetricPoint point{step.value_or((curve.empty() ? 0 : curve.back().step) + 1), value};
  const Spec& spec = parts_.spec;
  if (journal_) {
    journal_->commit([&](Journal::Entry& entry) {
      entry.store().insert_metrics(
          {{number, 1, is_second ? spec.second_objective->metric : spec.objective.metric, point,
            parts_.clock.wall_now()}});
    });
  }
  if (is_second) return book_.add_second_point(number, point), strategies::Verdict();
  if (seconds && point.step > 0) book_.set_pace(number, *seconds / static_cast<double>(point.step));
  if (!book_.add_point(number, point)) return {};
  return parts_.stop_rule.judge(book_.trial(number), book_.history(number));
}

void AskTell::require_values(int trial, const std::vector<double>& values) const {
  const auto& second = parts_.spec.second_objective;
  if (values.size() == (second ? 2 : 1)) return;
  const std::string name = "trial " + std::to_string(trial);
  if (!second)
    throw Error(ExitCode::kUsage, name + " has no value, and none was reported before",
                "add \"value\": null if its result is not finite, or \"state\": \"failed\"");
  const std::string missing = values.empty() ? parts_.spec.objective.metric : second->metric;
  throw Error(
      ExitCode::kUsage, name + " has no value of " + missing + ", and none was reported before",
      "add \"values\", of both objectives, null for one that is not finite, or \"state\": \"failed\"");
}

store::TrialRow AskTell::ended_row(const Told& told, const TrialView& trial) const {
  store::TrialRow row;
  if (parts_.store != nullptr) {
    auto stored = parts_.store->trial(told.trial);
    TUNE_CHECK(stored.has_value());
    row = std::move(*stored);
  }
  row.number = told.trial;
  row.parameters = trial.parameters;
  row.state = told.state;
  row.reason = told.reason;
  std::vector<double> values = told.values;
  if (values.empty() && told.state != TrialState::kFailed)
    values =
        reached_values(trial.curve, trial.second_curve, parts_.spec.objective, parts_.spec.second_objective);
  if (told.state == TrialState::kCompleted) require_values(told.trial, values);
  const bool is_finite =
      std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  if (told.state == TrialState::kCompleted && !is_finite) {
    row.state = TrialState::kFailed;
    row.failure = "non_finite";
    if (row.reason.empty())
      row.reason = values.size() == 1 ? "its value is not finite" : "a value is not finite";
  }
  if (told.state == TrialState::kFailed) row.failure = failure_class(told.reason);
  if (row.reason.empty()) row.reason = to_string(row.state);
  // A second objective that has come to nothing leaves what the first one had reached.
  if (row.state != TrialState::kCompleted && values.size() == 2 && !std::isfinite(values[1]))
    values.pop_back();
  const bool is_known = !values.empty() && std::isfinite(values[0]);
  if (row.state != TrialState::kFailed && is_known) row.values = std::move(values);
  if (is_finished(row.state)) row.ended = parts_.clock.wall_now();
  if (trial.step_seconds > 0) row.facts.step_seconds = trial.step_seconds;
  return row;
}

void AskTell::write_end(const store::TrialRow& row) {
  BestSoFar best(parts_.spec.objective, parts_.spec.second_objective);
  for (const auto& trial : book_.history(row.number).trials)
    if (trial->state == TrialState::kCompleted && !trial->replicate_of && trial->role != SearchRole::kRepeat)
      best.add(trial->values);
  const bool is_new_best =
      row.state == TrialState::kCompleted && !row.facts.replicate_of && best.is_improved_by(row.values);
  journal_->commit([&](Journal::Entry& entry) {
    entry.store().update_trial(row);
    StatusEvent event =
        about(is_finished(row.state) ? StatusKind::kTrialFinished : StatusKind::kAttemptRequeued, row);
    event.message = row.failure.empty() ? row.reason : row.failure + ": " + row.reason;
    entry.event(event);
    if (is_new_best) {
      event.kind = StatusKind::kBest;
      event.message = {};
      entry.event(std::move(event));
    }
    save_study(entry.store());
  });
}

void AskTell::tell(const Told& told) {
  const TrialView& trial = open_trial(told.trial);
  const store::TrialRow row = ended_row(told, trial);
  if (journal_) write_end(row);
  if (!trial.replicate_of) completion_.on_end(row.state, row.values);
  if (is_finished(row.state)) {
    book_.close(row.number, row.state, row.values, row.failure);
  } else {
    book_.pause(row.number, row.values);
  }
  --open_;
}

std::optional<Replication::Candidate> AskTell::over_seeds(int trial) {
  const History& history = book_.history();
  const Replication replication(history.objective.goal, seed_results(history));
  const Replication::Candidate* found = replication.find(trial);
  return found != nullptr && !found->fresh.empty() ? std::optional(*found) : std::nullopt;
}

std::vector<const TrialView*> AskTell::front() {
  const History& history = book_.history();
  std::vector<const TrialView*> trials;
  for (const std::size_t i : front_of(history)) trials.push_back(history.trials[i].get());
  return trials;
}

const TrialView* AskTell::preferred() {
  if (!parts_.spec.prefer) return nullptr;
  const auto number = preferred_trial(book_.history(), *parts_.spec.prefer);
  return number ? &book_.trial(*number) : nullptr;
}

std::vector<AskedTrial> AskTell::pending() const {
  std::vector<AskedTrial> trials;
  for (int number = 1; number < book_.next_number(); ++number) {
    const TrialView& trial = book_.trial(number);
    if (is_open(trial.state)) trials.push_back(asked(trial, resumed_.contains(number)));
  }
  return trials;
}

void AskTell::save_study(store::StudyStore& store) {
  study_.elapsed_seconds = static_cast<double>(elapsed().count()) / 1000;
  study_.updated = parts_.clock.wall_now();
  store.update_study(study_);
}

void AskTell::close() {
  if (!journal_) return;
  const bool lacks_replicates =
      parts_.spec.replicates && !is_out_of_time() &&
      strategies::next_replicate(book_.history(), *parts_.spec.replicates).has_value();
  const bool is_over = open_ == 0 && (exhausted_ || (!may_start() && !lacks_replicates));
  study_.state = is_over ? store::StudyState::kFinished : store::StudyState::kInterrupted;
  const bool has_all = parts_.spec.limits.trials && book_.searched() >= *parts_.spec.limits.trials;
  const auto reached = completion_.reached();
  study_.finish_reason = !is_over      ? "the ask-tell session ended"
                         : reached     ? to_string(*reached)
                         : may_start() ? to_string(store::StudyEnd::kSpaceExhausted)
                         : has_all     ? to_string(store::StudyEnd::kTrialLimit)
                                       : to_string(store::StudyEnd::kTimeLimit);
  journal_->commit([&](Journal::Entry& entry) { save_study(entry.store()); });
}

}  // namespace tune::engine

#include "tuner/engine/loop/suggestion_source.h"

#include <string>
#include <utility>
#include <variant>

#include "tuner/core/plural_text.h"

namespace tune::engine {

SuggestionSource::SuggestionSource(strategies::Strategy& strategy, const Spec& spec, std::uint64_t seed,
                                   HistoryBook& book, Completion& completion, Journal& journal,
                                   std::function<void()> on_answer)
    : spec_(spec),
      limits_(spec.limits),
      book_(book),
      completion_(completion),
      journal_(journal),
      suggester_(strategy, spec.space, seed, std::move(on_answer)) {}

bool SuggestionSource::may_ask() const {
  if (waits_ || is_exhausted_) return false;
  if (spec_.replicates) return true;
  if (completion_.reached()) return false;
  return may_begin() || (book_.paused() > 0 && spec_.early_stopping.form == StopForm::kPause);
}

bool SuggestionSource::is_wanted(const strategies::Suggestion& suggestion) const {
  if (suggestion.replicate_of) return true;
  if (!suggestion.resume_trial) return search_goes_on();
  return !completion_.reached() && book_.trial(*suggestion.resume_trial).state == TrialState::kPaused;
}

void SuggestionSource::on_end() {
  waits_ = false;
  ended_since_question_ = true;
}

std::optional<strategies::Suggestion> SuggestionSource::next(Milliseconds patience, bool anything_runs) {
  if (!suggester_.is_busy()) {
    ended_since_question_ = false;
    asked_to_begin_ = search_goes_on();
    suggester_.ask(book_.snapshot(asked_to_begin_, completion_.reached().has_value()));
  }
  std::optional<Suggested> suggested = suggester_.take(patience);
  if (!suggested) return std::nullopt;
  return taken(std::move(*suggested), anything_runs);
}

std::optional<strategies::Suggestion> SuggestionSource::taken(Suggested suggested, bool anything_runs) {
  if (!suggested.notice.empty()) journal_.notice(suggested.notice);
  if (std::holds_alternative<strategies::Wait>(suggested.answer)) {
    if (ended_since_question_) return std::nullopt;  // what it waits for may have come
    waits_ = true;
    // Nothing runs that it could wait for: the strategy is at its end.
    if (!anything_runs) is_exhausted_ = true;
    return std::nullopt;
  }
  if (std::holds_alternative<strategies::Exhausted>(suggested.answer)) {
    if (search_goes_on() && !asked_to_begin_) return std::nullopt;  // the limit was raised meanwhile
    is_exhausted_ = true;
    if (limits_.trials && search_goes_on())
      journal_.notice_once("no point is left to try, so the study ends with " +
                           std::to_string(book_.searched()) + " of " + plural_text(*limits_.trials, "trial"));
    return std::nullopt;
  }
  auto& suggestion = std::get<strategies::Suggestion>(suggested.answer);
  if (suggestion.replicate_of) return std::move(suggestion);
  // A new point of a strategy that failed; a trial that has been stopped since the question.
  if (!suggestion.resume_trial && !search_goes_on()) {
    is_exhausted_ = true;
    return std::nullopt;
  }
  if (suggestion.resume_trial && book_.trial(*suggestion.resume_trial).state != TrialState::kPaused)
    return std::nullopt;
  completion_.on_suggestion(suggestion);
  if (!completion_.reached()) return std::move(suggestion);
  journal_.notice_once(completion_.sentence());
  return std::nullopt;
}

}  // namespace tune::engine

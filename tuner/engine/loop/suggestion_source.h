#pragma once
// Where the loop's next trial comes from: what the strategy is asked, and what came of it.
#include <functional>
#include <optional>

#include "tuner/engine/loop/completion.h"
#include "tuner/engine/loop/history_book.h"
#include "tuner/engine/loop/journal.h"
#include "tuner/engine/loop/suggester.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// Owned by the loop, on its thread. It starts nothing: it says whether a question makes sense, asks it, and
// hands out suggestions that may be started now. Answers that are no trial stay here, until something has
// happened that may bring another answer.
class SuggestionSource {
 public:
  // `on_answer` as in Suggester.
  SuggestionSource(strategies::Strategy& strategy, const Spec& spec, std::uint64_t seed, HistoryBook& book,
                   Completion& completion, Journal& journal, std::function<void()> on_answer);

  void set_limits(const Limits& limits) { limits_ = limits; }
  // Whether limits.trials allows a new trial of the search.
  bool may_begin() const { return !limits_.trials || book_.searched() < *limits_.trials; }
  // Whether a suggestion from before may still begin: not so where a limit was lowered or reached since, or
  // its paused trial was stopped.
  bool is_wanted(const strategies::Suggestion& suggestion) const;
  // Whether a question could bring a trial.
  bool may_ask() const;
  bool is_busy() const { return suggester_.is_busy(); }
  // The next trial, new or paused, waiting for it at most `patience`. nullopt: the strategy still thinks
  // (is_busy()), or what it answered is no trial.
  std::optional<strategies::Suggestion> next(Milliseconds patience, bool anything_runs);

  // A trial has ended or waits.
  void on_end();
  // A person has changed something.
  void on_steering() { waits_ = is_exhausted_ = false; }

 private:
  bool search_goes_on() const { return may_begin() && !completion_.reached(); }
  std::optional<strategies::Suggestion> taken(Suggested suggested, bool anything_runs);

  const Spec& spec_;
  Limits limits_;
  HistoryBook& book_;
  Completion& completion_;
  Journal& journal_;
  bool asked_to_begin_ = true;         // the question that is open allows a new trial
  bool ended_since_question_ = false;  // a trial
  bool waits_ = false, is_exhausted_ = false;
  Suggester suggester_;
};

}  // namespace tune::engine

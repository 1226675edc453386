#pragma once
// A study whose trials somebody else runs: asked for one by one, told how they ended.
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "strategies/stop_rule.h"
#include "strategies/strategy.h"
#include "tuner/core/clock.h"
#include "tuner/core/replication.h"
#include "tuner/engine/loop/completion.h"
#include "tuner/engine/loop/history_book.h"
#include "tuner/engine/loop/journal.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// One trial for the caller to run.
struct AskedTrial {
  int trial = 0;
  ParameterSet parameters;
  double budget = 1;
  bool is_resumed = false;               // it was paused, and goes on
  std::optional<int> replicate_of = {};  // the trial that it repeats, on another seed
};

struct Asked {
  // kWait: nothing before another trial is told. kExhausted: nothing ever again.
  enum class Kind { kTrials, kWait, kExhausted };
  Kind kind = Kind::kTrials;
  std::vector<AskedTrial> trials;  // kTrials: at least one, and fewer than asked for where no more may start
};

// How the caller says that a trial ended.
struct Told {
  int trial = 0;
  TrialState state = TrialState::kCompleted;  // completed, stopped, failed or paused
  // One an objective; empty: the reports decide. NaN or infinite: the result is not finite.
  std::vector<double> values;
  std::string reason;  // free text; a failure's class, where it is one
};

// Owned by a command, used on its thread; the strategy is called there too. The same questions and results
// give the same suggestions as the loop that launches trials. Every member writes to the store before it
// changes memory, so a failed write leaves both as they were and may be tried again.
//
// It does not decide how many trials run at once, and does not know whether those that it gave out still run.
// Errors: Error(kUsage) for what the caller may not say; the store's own.
class AskTell {
 public:
  struct Parts {
    const Spec& spec;  // with the limits in force
    std::uint64_t seed = 0;
    strategies::Strategy& strategy;
    strategies::StopRule& stop_rule;
    const Clock& clock;
    store::StudyStore* store = nullptr;  // nullptr: everything is in memory only
    // Called with what a person should know: a strategy that failed and the like.
    std::function<void(const std::string&)> on_notice;
  };
  // Continues what the store holds.
  explicit AskTell(Parts parts);
  AskTell(const AskTell&) = delete;
  AskTell& operator=(const AskTell&) = delete;

  // Fewer trials than asked for where the store takes no more writes after the first.
  // No new trial is begun when there are `most`, or as many as limits.trials says; paused ones may go on
  // then, and replicates begin.
  Asked ask(int count, std::optional<int> most = std::nullopt);
  // A trial that somebody else thought of, and has run or runs now: it gets the next number, also past
  // limits.trials, and is open until it is told. Throws Error(kUsage) for what is no point of the space.
  AskedTrial add(const ParameterSet& parameters);
  // A point of the objective's curve; `step` counts on from the last one when absent. NaN is allowed.
  // `seconds`: what its devices have taken so far, for models of the price. A point of the second objective's
  // curve is judged with the next one of the first.
  strategies::Verdict report(int trial, std::optional<std::int64_t> step, double value,
                             std::optional<double> seconds = std::nullopt, bool is_second = false);
  // A completed or stopped trial without a value takes the reduced one of its reports.
  void tell(const Told& told);
  const TrialView* best() { return book_.history().best(); }
  // What its replicates say of a trial; nullopt before one of them has a value.
  std::optional<Replication::Candidate> over_seeds(int trial);
  // Of a study with two objectives: the trials that no other one beats in both, the best by the first one
  // first, and the one that promote.prefer takes.
  std::vector<const TrialView*> front();
  const TrialView* preferred();
  const Spec& spec() const { return parts_.spec; }
  // The open trials; of one that was paused before, that it goes on.
  std::vector<AskedTrial> pending() const;
  // Records where the study stands as its session ends. Without a store it does nothing.
  void close();

 private:
  // Hands the journal's notices on to the caller.
  class Listener final : public Status {
   public:
    explicit Listener(const Parts& parts) : parts_(parts) {}
    void on_event(const StatusEvent& event) override;

   private:
    const Parts& parts_;
  };

  Milliseconds elapsed() const;
  bool is_out_of_time() const;
  bool has_room_for_trials() const;  // by limits.trials
  bool may_start() const;
  const TrialView& open_trial(int number) const;
  AskedTrial start(const strategies::Suggestion& suggestion);
  AskedTrial start_again(const strategies::Suggestion& suggestion);
  void require_values(int trial, const std::vector<double>& values) const;
  store::TrialRow ended_row(const Told& told, const TrialView& trial) const;
  void write_end(const store::TrialRow& row);
  void save_study(store::StudyStore& store);

  Parts parts_;
  HistoryBook book_;
  Listener listener_;
  std::optional<Journal> journal_;  // when there is a store
  store::StudyRow study_;           // of the store; unused without one
  Completion completion_;
  std::set<int> resumed_;  // trials that were paused once, and went on
  int open_ = 0;           // trials that were given out and not told
  bool exhausted_ = false;
  SteadyTime begin_;
  double elapsed_before_ = 0;  // seconds, of earlier sessions
};

}  // namespace tune::engine

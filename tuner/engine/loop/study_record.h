#pragma once
// The study's own row: what is known of it, where it stands, and for how long it has run.
#include <string>

#include "store/study_store.h"
#include "tuner/core/clock.h"
#include "tuner/engine/loop/journal.h"

namespace tune::engine {

// Owned by the loop, on its thread. It decides nothing. The time of earlier runs counts too.
class StudyRecord {
 public:
  StudyRecord(store::StudyStore& store, const Clock& clock, Journal& journal);

  // Changes of it are in the store after the next save().
  store::StudyRow& row() { return row_; }
  // For which the study has run, in all.
  Milliseconds elapsed() const;
  // Time that is not the study's own, since a person holds it.
  void pass_over(SteadyTime::duration held) { begin_ += held; }
  // In one transaction with the event, if there is one.
  void save(store::StudyState state, const std::string& reason, Durability durability = Durability::kProcess,
            const StatusEvent* event = nullptr);

 private:
  const Clock& clock_;
  Journal& journal_;
  store::StudyRow row_;
  SteadyTime begin_;
  double elapsed_before_;  // seconds
};

}  // namespace tune::engine

#pragma once
// Says when most of what a study may take is taken.
#include <optional>
#include <string>

#include "store/study_store.h"
#include "tuner/core/clock.h"
#include "tuner/engine/loop/journal.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// Of limits.time, limits.gpu_hours and limits.cost_usd: an event when 80 % of one is taken, and one when it
// has ended the study, each once for a limit of that height, whatever ended the process in between. Owned by
// the loop, on its thread; it stops nothing.
class BudgetWatch {
 public:
  BudgetWatch(const Spec& spec, const store::StudyStore& store, Journal& journal);

  // Whether anybody is to be told.
  bool is_wanted() const { return is_wanted_; }
  // With the limits in force, and what the study has taken of time and of its devices.
  void look(const Limits& limits, Milliseconds elapsed, double device_seconds);
  // The study ends for this reason.
  void end(const Limits& limits, store::StudyEnd reason);

 private:
  void say(const std::string& limit, const std::string& message, double share);

  const store::StudyStore& store_;
  Journal& journal_;
  const std::optional<double> usd_per_hour_;
  const bool is_wanted_;
};

}  // namespace tune::engine

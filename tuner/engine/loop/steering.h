#pragma once
// What a request from another terminal means for a study, whether it runs or not.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "tuner/engine/loop/inbox.h"
#include "tuner/engine/loop/journal.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// All that changes by it. What stands in the store is written by write_effect(); the rest is for a loop that
// runs.
struct Effect {
  std::string said;              // what was done, for the person who asked and for the study's events
  std::optional<Limits> limits;  // in force from now on
  std::vector<store::TrialRow> enqueued;  // new trials that wait for a slot
  std::optional<store::TrialRow> ended;   // a queued or paused trial that will not run again
  std::optional<int> to_stop;             // a running trial
  std::optional<bool> held;               // whether nothing is begun any more
  bool drains = false;                    // the loop ends as by a first Ctrl-C
};

// The study that requests are for.
struct AskedStudy {
  const Spec& spec;
  store::StudyStore& store;
  const Clock& clock;
  Journal& journal;
  store::StudyRow& row;                  // is changed and written
  std::map<std::string, Json>& answers;  // that this process has given, by the request's id
};

// Who obeys them.
struct Obedience {
  AskedStudy study;
  std::function<Limits()> limits;
  // With the points of trials from before the space was amended (history_in()).
  std::function<const History&()> history;
  // Before it is written; may throw Error, which refuses the request.
  std::function<void(const Request&, Effect&)> adapt;
  // After it is written: the loop's own memory, and what runs.
  std::function<void(const Request&, const Effect&)> then;
};

// Refuses a stop of the study that was asked for before it `began` to go on.
void refuse_old_stop(const Request& request, const Effect& effect, WallTime began);

// Obeys all that waits, the oldest first, each in one transaction with an event that says who asked for it,
// and answers {"done": "..."}, or {"error": "...", "hint": "...", "code": 5}. What cannot be done is refused,
// and changes nothing: a trial that is not there or has ended, a point outside the space, a limit in dollars
// without a price. A request that an earlier process had obeyed, and died before it answered, is known by its
// event, and is not obeyed again. Throws what the store throws when it cannot be written.
void obey_requests(const Inbox& inbox, const Obedience& who);

}  // namespace tune::engine

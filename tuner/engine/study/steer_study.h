#pragma once
// Requests to a study that runs no trials at the moment: they are obeyed at once.
#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include "store/study_store.h"
#include "tuner/core/clock.h"
#include "tuner/engine/loop/inbox.h"
#include "tuner/engine/loop/journal.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// Obeys all that waits in the study's inbox, and answers it. `spec` is the stored one. Throws
// Error(kConflict) when another process works on the study: that one reads its inbox itself, or will when its
// command is done; the store's own errors.
void obey_at_rest(const std::filesystem::path& store, const Spec& spec, const Clock& clock);

// The same for whoever holds the study.
struct RestingStudy {
  const Spec& spec;
  store::StudyStore& store;
  const Clock& clock;
  Journal& journal;
  store::StudyRow& row;           // is changed and written
  std::set<std::string>& obeyed;  // ids, in this process
  // Interrupts the promotion for `tune stop STUDY`, which is refused where there is none.
  std::function<void()> on_stop = {};
};
void obey_at_rest(const Inbox& inbox, const RestingStudy& study);

}  // namespace tune::engine

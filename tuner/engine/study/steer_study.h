#pragma once
// Requests to a study whose loop does not run at the moment.
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "store/study_store.h"
#include "tuner/core/clock.h"
#include "tuner/engine/loop/inbox.h"
#include "tuner/engine/loop/journal.h"
#include "tuner/engine/loop/steering.h"
#include "tuner/engine/loop/study_loop.h"
#include "tuner/engine/study/study_opening.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// Obeys all that waits in the study's inbox, and answers it. `spec` is the stored one. Throws
// Error(kConflict) when another process works on the study: that one reads its inbox itself, or will when its
// command is done; the store's own errors.
void obey_at_rest(const std::filesystem::path& store, const Spec& spec, const Clock& clock);

// The same for whoever holds the study. `on_stop` interrupts its promotion for `tune stop STUDY`, which is
// refused where there is none.
void obey_at_rest(const Inbox& inbox, const AskedStudy& study, const std::function<void()>& on_stop = {});

// The inbox of a study that this process has opened, before its loop reads it: what waits there since nobody
// could obey it, and what comes while the loop does not run yet. The study's row and the spec's limits
// follow. A stop of the study that was asked for after it `began` to be worked on interrupts, an older one is
// refused. Owned by who runs the study, on one thread; throws what the store throws.
class EarlyInbox {
 public:
  EarlyInbox(OpenedStudy& study, Spec& spec, const std::filesystem::path& folder, const Clock& clock,
             Journal& journal, Interruption& interruption, WallTime began);
  void obey();
  // May be called at any rate.
  void obey_now_and_then();

 private:
  OpenedStudy& study_;
  Spec& spec_;
  const Inbox inbox_;
  const Clock& clock_;
  Journal& journal_;
  Interruption& interruption_;
  const WallTime began_;
  SteadyTime looked_{};
  std::map<std::string, Json> answers_;
  std::optional<History> history_;
};

}  // namespace tune::engine

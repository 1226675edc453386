#include "tuner/engine/study/steer_study.h"

#include "tuner/core/error.h"
#include "tuner/engine/loop/steering.h"
#include "tuner/engine/study/study_opening.h"

namespace tune::engine {
namespace {

class NobodyLooks final : public Status {
 public:
  void on_event(const StatusEvent&) override {}
};

// What a study at rest does otherwise than one that runs.
void adapt(Effect& effect, const RestingStudy& resting) {
  store::StudyRow& study = resting.row;
  const std::string goes_on = "`tune resume " + study.name + "` goes on with it";
  if (effect.drains && !resting.on_stop)
    throw Error(ExitCode::kConflict, "the study \"" + study.name + "\" does not run", goes_on);
  if (effect.drains) effect.said = "the promotion is interrupted";
  if (effect.to_stop) effect.said += " when the study goes on";
  if (!effect.enqueued.empty() && study.state == store::StudyState::kFinished) {
    study.state = store::StudyState::kInterrupted;
    study.finish_reason = "trials were enqueued";
  }
  if (!effect.held) effect.said += " (" + goes_on + ")";
}

}  // namespace

void obey_at_rest(const Inbox& inbox, const RestingStudy& study) {
  obey_requests(inbox, {study.spec, study.store, study.clock, study.journal, study.row, study.obeyed,
                        [&study] { return limits_from_json(study.row.limits); },
                        [&study](const Request&, Effect& effect) { adapt(effect, study); },
                        [&study](const Request&, const Effect& effect) {
                          if (effect.drains) study.on_stop();
                        }});
}

void obey_at_rest(const std::filesystem::path& store_folder, const Spec& spec, const Clock& clock) {
  HeldStudy held = require_held_study(store_folder, spec.study);
  store::StudyStore& store = *held.store;
  require_own_name(store);
  NobodyLooks status;
  Journal journal(store, clock, status, [] { return false; });
  store::StudyRow study = store.study();
  std::set<std::string> obeyed;
  obey_at_rest(Inbox(store_folder / spec.study), {spec, store, clock, journal, study, obeyed});
}

}  // namespace tune::engine

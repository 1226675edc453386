#include "tuner/engine/study/steer_study.h"

#include <algorithm>
#include <string>

#include "tuner/core/error.h"
#include "tuner/engine/loop/history_book.h"
#include "tuner/engine/study/study_opening.h"

namespace tune::engine {
namespace {

class NobodyLooks final : public Status {
 public:
  void on_event(const StatusEvent&) override {}
};

// A study that had ended has something to do again.
void reopen(const Effect& effect, store::StudyRow& study) {
  if (effect.enqueued.empty() || study.state != store::StudyState::kFinished) return;
  study.state = store::StudyState::kInterrupted;
  study.finish_reason = "trials were enqueued";
}

// What a study at rest does otherwise than one that runs.
void adapt(Effect& effect, store::StudyRow& study, bool promotes) {
  const std::string goes_on = "`tune resume " + study.name + "` goes on with it";
  if (effect.drains && !promotes)
    throw Error(ExitCode::kConflict, "the study \"" + study.name + "\" does not run", goes_on);
  if (effect.drains) effect.said = "the promotion is interrupted";
  if (effect.to_stop) effect.said += " when the study goes on";
  reopen(effect, study);
  if (!effect.held) effect.said += " (" + goes_on + ")";
}

const History& loaded(std::optional<History>& history, const store::StudyStore& store, const Spec& spec) {
  history = history_in(store, spec.space);  // an earlier request may have changed it
  return *history;
}

}  // namespace

void obey_at_rest(const Inbox& inbox, const AskedStudy& study, const std::function<void()>& on_stop) {
  std::optional<History> history;
  obey_requests(inbox, {study, [&] { return limits_from_json(study.row.limits); },
                        [&]() -> const History& { return loaded(history, study.store, study.spec); },
                        [&](const Request&, Effect& effect) {
                          adapt(effect, study.row, /*promotes=*/on_stop != nullptr);
                        },
                        [&](const Request&, const Effect& effect) {
                          if (effect.drains) on_stop();
                        }});
}

void obey_at_rest(const std::filesystem::path& store_folder, const Spec& spec, const Clock& clock) {
  HeldStudy held = require_held_study(store_folder, spec.study);
  store::StudyStore& store = *held.store;
  require_own_name(store);
  NobodyLooks status;
  Journal journal(store, clock, status, [] { return false; });
  store::StudyRow study = store.study();
  std::map<std::string, Json> answers;
  obey_at_rest(Inbox(store_folder / spec.study), {spec, store, clock, journal, study, answers});
}

EarlyInbox::EarlyInbox(OpenedStudy& study, Spec& spec, const std::filesystem::path& folder,
                       const Clock& clock, Journal& journal, Interruption& interruption, WallTime began)
    : study_(study),
      spec_(spec),
      inbox_(folder),
      clock_(clock),
      journal_(journal),
      interruption_(interruption),
      began_(began) {}

void EarlyInbox::obey() {
  looked_ = clock_.steady_now();
  obey_requests(inbox_, {{spec_, study_.store, clock_, journal_, study_.row, answers_},
                         [this] { return limits_from_json(study_.row.limits); },
                         [this]() -> const History& { return loaded(history_, study_.store, spec_); },
                         [this](const Request& request, const Effect& effect) {
                           refuse_old_stop(request, effect, began_);
                           reopen(effect, study_.row);
                         },
                         [this](const Request&, const Effect& effect) {
                           if (effect.drains)
                             interruption_.count.store(std::max(1, interruption_.count.load()));
                         }});
  spec_.limits = limits_from_json(study_.row.limits);
}

void EarlyInbox::obey_now_and_then() {
  if (clock_.steady_now() - looked_ >= kLookAtInbox) obey();
}

}  // namespace tune::engine

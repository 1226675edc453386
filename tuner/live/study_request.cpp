#include "tuner/live/study_request.h"

#include <chrono>
#include <thread>

#include "store/store_listing.h"
#include "tuner/core/clock.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/loop/inbox.h"
#include "tuner/engine/study/asked_study.h"
#include "tuner/engine/study/steer_study.h"
#include "tuner/engine/study/study_opening.h"
#include "tuner/live/stored_spec.h"
#include "tuner/live/study_place.h"
#include "tuner/os/held_locks.h"
#include "tuner/os/user.h"

namespace tune::live {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::seconds kPatience{
    30};  // an orchestrator looks four times a second, unless its disk is full

// What a comparison's studies have tried is what its approaches are judged by: they take no points, repeats
// or limits of a person's own.
void require_no_comparison(const fs::path& store, const std::string& study, const std::string& command) {
  if (command != "set" && command != "enqueue" && command != "rerun") return;
  const auto comparison = store::comparison_of(store, study);
  if (!comparison) return;
  throw Error(ExitCode::kConflict,
              "\"" + study + "\" is a study of the comparison \"" + *comparison +
                  "\", which says what each of its studies tries",
              command == "set" ? "change the comparison's file, and begin it anew with --name"
                               : "try the point in a study of your own");
}

// The answer of whoever works on the study, or one's own where nobody does.
Json answer_to(const engine::Inbox& inbox, const std::string& id, const fs::path& store, const Spec& spec,
               const std::function<bool()>& is_interrupted) {
  const std::string& study = spec.study;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::string why;  // nothing is done here
  while (true) {
    if (auto answer = inbox.take_answer(id)) return *std::move(answer);
    if (!is_locked(study_lock(store / study))) {
      try {
        engine::obey_at_rest(store, spec, SystemClock());
        if (auto answer = inbox.take_answer(id)) return *std::move(answer);
      } catch (const Error& error) {
        // Somebody was quicker, and will answer.
        if (error.code() != ExitCode::kConflict) {
          inbox.withdraw(id);
          throw;
        }
        why = std::string(" (") + error.what() + ")";
      }
    }
    if (is_interrupted())
      throw Error(
          ExitCode::kInterrupted,
          "interrupted before the process that works on the study \"" + study + "\" has answered" + why,
          "the request stays in its inbox and is obeyed when it is read; `tune status " + study +
              "` says more");
    if (std::chrono::steady_clock::now() > deadline)
      throw Error(ExitCode::kEnvironment,
                  "the study \"" + study + "\" is worked on, and its process has not answered for " +
                      std::to_string(kPatience.count()) + " s" + why,
                  "the request stays in its inbox and is obeyed when it is read; `tune status " + study +
                      "` says more");
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

Spec requestable_spec(const fs::path& store, const std::string& study, const std::string& command,
                      int trial) {
  const store::StudyStore stored = open_study_for_reading(store, study);
  engine::require_own_name(stored);
  const store::StudyRow row = stored.study();
  if (row.facts.driver == "optuna")
    throw Error(ExitCode::kConflict,
                "\"" + study + "\" was imported from Optuna, and nothing runs its trials",
                "a study of your own learns from it: \"warm_start\": [{\"study\": \"" + study +
                    "\", \"kind\": \"identical\"}]");
  if (row.facts.driver)
    throw Error(ExitCode::kConflict,
                "the trials of \"" + study + "\" are run by another program, through " + *row.facts.driver,
                engine::cure_in_session(command, trial));
  Spec spec = read_stored_spec(row, engine::spec_folder_now(row, store), stored.file());
  spec.study = row.name;
  return spec;
}

std::string ask_study(const fs::path& store, const std::string& study, const std::string& command,
                      Json arguments, const std::function<bool()>& is_interrupted) {
  require_no_comparison(store, study, command);
  const Spec spec = requestable_spec(store, study, command, arguments.value("trial", 0));
  const engine::Inbox inbox(store / study);
  const std::string id =
      inbox.send({{}, command, std::move(arguments), asking_user(), SystemClock().wall_now()});
  const Json answer = answer_to(inbox, id, store, spec, is_interrupted);
  if (answer.contains("error"))
    throw Error(static_cast<ExitCode>(answer.value("code", static_cast<int>(ExitCode::kEnvironment))),
                answer.value("error", std::string()), answer.value("hint", std::string()));
  return answer.value("done", std::string());
}

}  // namespace tune::live

#pragma once
// One command's worth of a study: creates or continues it, runs the loop, promotes the best model.
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/engine/loop/study_loop.h"
#include "tuner/engine/promotion/promotion.h"
#include "tuner/engine/study/study_opening.h"

namespace tune::engine {

struct RunRequest {
  std::filesystem::path store;  // the store's folder
  Spec spec;                    // as read; `study` may have been renamed
  std::string spec_file;        // its name in messages
  std::string spec_text;
  Overrides overrides;
  bool is_resume = false;       // a person asked to go on, so a study that was given up is tried again
  bool retries_failed = false;  // the failed trials run again
  std::string version;          // of this program
  // What the trainer's probe said before, by probe_name(): a study that has no answer of its own for it
  // takes these, and measures what is missing.
  store::Probes known_probes = {};
  std::optional<RunnerKind> runner = {};  // in place of the spec's
  // A signal ends the run and leaves its jobs on the cluster alone; the next one takes them up.
  bool leaves_jobs = false;
};

struct RunHooks {
  // Called once, before anything happens; the rows are what the store holds by then.
  std::function<std::unique_ptr<Status>(const store::StudyRow&, const std::vector<store::TrialRow>&)>
      make_status;
  // Called with the runner when it is there, and with nullptr before it goes: signal handlers wake it.
  std::function<void(TrialRunner*)> on_runner;
  // Called once all that could refuse the run has been looked at, and before the trainer is measured and
  // trials begin; not for a study that has ended before. May be empty.
  std::function<void()> on_begun = {};
  // Called with true before the best model is promoted, and with false after that: nothing else runs then,
  // and a second signal may end the process at once. May be empty.
  std::function<void(bool)> on_promotion = {};
};

struct RunReport {
  StudyResult result;
  std::optional<store::PromotionDecision>
      promotion;                         // absent when none was asked for, or the study was interrupted
  std::exception_ptr promotion_failure;  // an Error: the study's result stands all the same
  bool had_ended = false;                // nothing was run: the study was finished before
  std::string how_to_go_on;              // a sentence, when had_ended
  ExitCode exit_code = ExitCode::kOk;
};

// What the command that worked last on a study ended with, by what it has recorded: of one that nobody works
// on. kInterrupted too where that command died, kEnvironment also where the promotion that the spec asks for
// was not made.
ExitCode exit_code_at_rest(const store::StudyRow& study, const std::vector<store::TrialRow>& trials);

// Blocks until the study ends or is interrupted. Throws what open_study() throws; SpecError for a trainer's
// keys; Error(kEnvironment) where the machine lacks what the spec asks for.
RunReport run_study(RunRequest request, const RunHooks& hooks, const Clock& clock,
                    Interruption& interruption);

}  // namespace tune::engine

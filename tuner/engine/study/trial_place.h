#pragma once
// Where a study's trials run: on this machine, or as jobs of a cluster.
#include <filesystem>
#include <memory>

#include "tuner/engine/attempt/trial_runner.h"
#include "tuner/engine/loop/journal.h"
#include "tuner/engine/loop/study_loop.h"
#include "tuner/engine/study/run_study.h"
#include "tuner/engine/study/steer_study.h"
#include "tuner/engine/study/study_opening.h"

namespace tune::engine {

struct TrialPlace {
  std::unique_ptr<TrialRunner> runner;
  std::filesystem::path work;  // where the trials' files lie; empty: in the study's folder
};

// What a person asks for, else what they had asked for when the study was last run, else the spec's.
RunnerKind runner_kind(const RunRequest& request, const store::StudyRow& study);

// All that can be known of the place is known before the first trial begins there. Without a runner when a
// person interrupted it. Throws Error(kEnvironment), Error(kConflict) where trials of the study may still run
// elsewhere, SpecError for what the cluster can never give.
TrialPlace make_trial_place(RunnerKind kind, const OpenedStudy& study, const RunRequest& request,
                            Journal& journal, const Interruption& interruption, EarlyInbox& requests);

}  // namespace tune::engine

#include "tuner/engine/study/trial_place.h"

#include <optional>
#include <string>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/core/slurm_boot.h"
#include "tuner/engine/attempt/local_runner.h"
#include "tuner/engine/slurm/cluster.h"
#include "tuner/engine/slurm/job_folder.h"
#include "tuner/engine/slurm/node_probe.h"
#include "tuner/engine/slurm/slurm_runner.h"

namespace tune::engine {
namespace {

// Jobs of an earlier run would go on beside the processes of this one.
std::unique_ptr<TrialRunner> make_local_runner(const OpenedStudy& study, const Spec& spec) {
  if (spec.runner.slurm.nodes_per_trial > 1)
    throw Error(ExitCode::kEnvironment, "runner.nodes_per_trial is more than this one machine has",
                "leave it out, or run on a cluster: --runner slurm");
  for (const store::AttemptRow& attempt : study.store.attempts())
    if (store::is_live(attempt.state) && attempt.boot_id == kSlurmBoot)
      throw Error(ExitCode::kConflict,
                  "trial " + std::to_string(attempt.trial) + " of the study may still run as a job of Slurm",
                  "--runner slurm takes it up again, and Ctrl-C there ends it");
  return std::make_unique<LocalRunner>(LocalRunnerOptions{spec.limits.parallel, spec.resources, {}});
}

TrialPlace make_slurm_place(const OpenedStudy& study, const RunRequest& request, Journal& journal,
                            const Interruption& interruption, EarlyInbox& requests) {
  const Spec& spec = request.spec;
  const SlurmSettings& settings = spec.runner.slurm;
  const auto signals = [&interruption, &requests] {
    requests.obey_now_and_then();
    return interruption.count.load();
  };
  const GivenUp given_up = [&signals] { return signals() > 0; };
  const Cluster cluster = inspect_cluster(given_up);
  ClusterProblems found = ask_cluster(spec, cluster, given_up);
  if (!found.fatal.empty()) {
    locate_problems(request.spec_text, found.fatal);
    throw SpecError(request.spec_file, std::move(found.fatal));
  }
  for (const Problem& warning : found.warnings)
    journal.notice(warning.message + (warning.hint.empty() ? "" : ": " + warning.hint));
  TrialPlace place;
  place.work = work_folder(request.store / study.row.name, study.row.name, settings.work);
  const bool is_seen = probe_node(
      {spec, place.work, {}, signals, [&](const std::string& sentence) { journal.notice(sentence); }});
  if (!is_seen) return place;
  const Partition* partition = cluster.partition(settings.partition);
  place.runner = std::make_unique<SlurmRunner>(
      SlurmRunnerOptions{settings,
                         study.row.name,
                         place.work,
                         spec.limits.parallel,
                         {},
                         partition == nullptr ? std::nullopt : partition->default_time,
                         [&interruption] { return interruption.count.load(); }});
  return place;
}

}  // namespace

RunnerKind runner_kind(const RunRequest& request, const store::StudyRow& study) {
  if (request.runner) return *request.runner;
  if (request.is_resume && study.facts.runner) return runner_from(*study.facts.runner);
  return request.spec.runner.kind;
}

TrialPlace make_trial_place(RunnerKind kind, const OpenedStudy& study, const RunRequest& request,
                            Journal& journal, const Interruption& interruption, EarlyInbox& requests) {
  if (kind == RunnerKind::kLocal) return {make_local_runner(study, request.spec), {}};
  try {
    return make_slurm_place(study, request, journal, interruption, requests);
  } catch (const Error&) {
    // A program that was ended for the signal has answered nothing.
    if (interruption.count.load() > 0) return {};
    throw;
  }
}

}  // namespace tune::engine

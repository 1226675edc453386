#include "tuner/engine/study/run_study.h"

#include <algorithm>
#include <iomanip>
#include <sstream>
#include <utility>

#include "strategies/point_key.h"
#include "strategies/replicating.h"
#include "tuner/billing/neighbours.h"
#include "tuner/core/number_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/rng.h"
#include "tuner/engine/attempt/set_up_check.h"
#include "tuner/engine/loop/completion.h"
#include "tuner/engine/loop/history_book.h"
#include "tuner/engine/loop/journal.h"
#include "tuner/engine/loop/spending.h"
#include "tuner/engine/study/builtin_trainer.h"
#include "tuner/engine/study/notifying_status.h"
#include "tuner/engine/study/run_facts.h"
#include "tuner/engine/study/steer_study.h"
#include "tuner/engine/study/trial_place.h"
#include "tuner/engine/study/version_judge.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/file_system.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

// Of the trials that are there: what was deleted says nothing.
bool has_every_trial_failed(const std::vector<store::TrialRow>& trials) {
  bool any = false;
  for (const store::TrialRow& trial : trials) {
    if (trial.facts.deleted) continue;
    if (trial.state == TrialState::kCompleted || trial.state == TrialState::kStopped) return false;
    any = any || trial.state == TrialState::kFailed;
  }
  return any;
}

// What limits.trials counts.
bool is_of_search(const store::TrialRow& trial) { return !trial.facts.replicate_of && !trial.facts.rerun_of; }

// The options that would raise the limits which keep a finished study from going on.
std::string options_to_raise(const OpenedStudy& study, const Spec& spec, bool wants_new_trials = true) {
  const Limits limits = limits_from_json(study.row.limits);
  const std::vector<store::TrialRow> trials = study.store.trials();
  const std::vector<store::AttemptRow> attempts = study.store.attempts();
  std::vector<store::AttemptRow> beside;
  if (billing::may_share_gpus(study.row))
    beside = billing::attempts_beside(fs::path(study.store.file()).parent_path().parent_path(),
                                      study.row.name, attempts, SystemClock().wall_now());
  const auto has_room = [&](const Limits& some) {
    Spending spending(device_budget(some, spec.usd_per_hour), trials, attempts);
    spending.see_others(beside);
    return spending.has_room({});
  };
  Limits hours, cost;
  hours.gpu_hours = limits.gpu_hours;
  cost.cost_usd = limits.cost_usd;
  std::string options;
  const auto searched = std::count_if(trials.begin(), trials.end(), is_of_search);
  if (wants_new_trials && limits.trials && searched >= *limits.trials) options += " --trials N";
  if (limits.time && study.row.elapsed_seconds * 1000 >= static_cast<double>(limits.time->count()))
    options += " --time T";
  if (!has_room(hours)) options += " --gpu-hours H";
  if (!has_room(cost)) options += " --cost-usd USD";
  const auto reached = Completion(limits, spec.objective, trials, attempts, spec.second_objective).reached();
  if (wants_new_trials && reached == store::StudyEnd::kTarget) options += " --target X";
  if (wants_new_trials && reached == store::StudyEnd::kNoImprovement) options += " --no-improvement N";
  return options;
}

// Replicates that the spec asks for and that nothing keeps from running: it may have come to ask for them, or
// for more, since the study ended, or the time may have been raised in which they had no room.
bool lacks_replicates(const OpenedStudy& study, const Spec& spec) {
  return spec.replicates &&
         strategies::next_replicate(history_in(study.store, spec.space), *spec.replicates) &&
         options_to_raise(study, spec, /*wants_new_trials=*/false).empty();
}

// Whether a finished study has something to do under the limits now in force.
bool may_go_on(const OpenedStudy& study, const Spec& spec, bool is_resume) {
  if (lacks_replicates(study, spec)) return true;
  const std::optional<store::StudyEnd> end = store::study_end_in(study.row.finish_reason);
  if (end == store::StudyEnd::kSpaceExhausted) return false;
  // What the strategy expects is not stored: only a person says that the search should go on.
  if (end == store::StudyEnd::kConvergence && !is_resume) return false;
  const bool by_limit = end.has_value();
  // Given up after failures: only a person knows whether their cause is gone.
  return (by_limit || is_resume) && options_to_raise(study, spec).empty();
}

// What more trials of a study that has ended would be; empty where they would be new points.
std::string what_is_left(const OpenedStudy& study, const Spec& spec) {
  const History history = study.store.load_history();
  if (spec.strategy.name != "grid")
    return strategies::is_used_up(spec.space, spec.space.cardinality(), history) ? "repeats" : "";
  const auto grid = strategies::make_strategy(spec.strategy, spec.space, spec.objective, study.row.seed);
  Rng rng(study.row.seed, static_cast<std::uint64_t>(history.next_number()));
  return std::holds_alternative<strategies::Exhausted>(grid->suggest(history, rng)) ? "nothing" : "";
}

// The sentence that a study which has ended shows; as may_go_on() decides.
std::string how_to_go_on(const OpenedStudy& study, const Spec& spec) {
  const store::StudyRow& row = study.row;
  const std::string resume = "`tune resume " + row.name, another = "--name NAME starts another study";
  const std::string ended = "the study has ended (" + row.finish_reason + "); ";
  const auto trials = study.store.trials();
  const bool any_failed = std::any_of(trials.begin(), trials.end(), [](const store::TrialRow& trial) {
    return trial.state == TrialState::kFailed;
  });
  const std::string retry =
      any_failed ? resume + " --retry-failed` runs its failed trials again, " : std::string();
  const std::string left = what_is_left(study, spec);
  if (store::study_end_in(row.finish_reason) == store::StudyEnd::kSpaceExhausted || left == "nothing")
    return ended + "its space holds no other trial: " + retry + another +
           (spec.strategy.name == "grid" ? ", which may have more levels or wider ranges"
                                         : ", which may have wider ranges");
  std::string options = options_to_raise(study, spec);
  if (store::study_end_in(row.finish_reason) == store::StudyEnd::kConvergence) options += " --convergence X";
  const std::string totals = options.empty() ? "" : " (new totals)";
  const std::string repeats =
      left == "repeats" ? " and repeats points, since every one has been tried" : std::string();
  return ended + resume + options + "` goes on with it" + totals + repeats + ", " + retry + another;
}

// `tune resume --trials N` with an N that is passed already would begin nothing, and look as if it had taken
// something back.
void refuse_fewer_trials(const OpenedStudy& study, const RunRequest& request) {
  const auto wanted = request.overrides.limits.trials;
  const std::vector<store::TrialRow> trials = study.store.trials();
  const auto searched = std::count_if(trials.begin(), trials.end(), is_of_search);
  if (!request.is_resume || !wanted || *wanted >= searched) return;
  throw Error(ExitCode::kUsage,
              "the study has " + plural_text(searched, "trial") + " already, and --trials " +
                  std::to_string(*wanted) + " is fewer: it counts all of them",
              "--trials " + std::to_string(searched) + " begins no other; to go on, take more");
}

// The failed trials run again, each from its last checkpoint where it has one, when the study goes on. Says
// which.
std::string reopen_failed_trials(OpenedStudy& study, const Spec& spec, const Clock& clock) {
  if (const std::string options = options_to_raise(study, spec, /*wants_new_trials=*/false); !options.empty())
    throw Error(ExitCode::kConflict, "a limit of the study is reached, so its failed trials could not run",
                "`tune resume " + study.row.name + " --retry-failed" + options + "` raises it (new totals)");
  std::vector<store::TrialRow> failed = study.store.trials();
  std::erase_if(failed, [](const store::TrialRow& trial) { return trial.state != TrialState::kFailed; });
  if (failed.empty()) return "no trial has failed, so none runs again";
  study.row.state = store::StudyState::kInterrupted;
  study.row.finish_reason = "failed trials are to run again";
  std::string numbers;
  // All or none: a process that dies here has changed nothing, or leaves a study that the same command goes
  // on with.
  store::StudyStore::Transaction transaction(study.store, Durability::kPower);
  for (store::TrialRow& trial : failed) {
    numbers += (numbers.empty() ? "" : ", ") + std::to_string(trial.number);
    trial.state = TrialState::kQueued;
    trial.reason = trial.failure = {};
    trial.values.clear();
    trial.ended.reset();
    trial.facts.reopened_after = trial.attempts;
    study.store.change_finished_trial(
        trial,
        {0, clock.wall_now(), "trial_reopened", 0, trial.attempts, {{"message", "a person asked for it"}}});
  }
  study.store.update_study(study.row);
  crash_point("reopening_trials");
  transaction.commit();
  crash_point("trials_reopened");
  return "failed trials run again: " + numbers;
}

ExitCode exit_code_of(const StudyResult& result, const store::StudyStore& store,
                      const std::optional<store::PromotionDecision>& promotion) {
  if (result.outcome == Outcome::kInterrupted) return ExitCode::kInterrupted;
  if (result.outcome == Outcome::kPaused) return ExitCode::kEnvironment;
  if (has_every_trial_failed(store.trials())) return ExitCode::kEveryTrialFailed;
  if (promotion && !promotion->promoted) return ExitCode::kNothingToPromote;
  return ExitCode::kOk;
}

// A promotion may take long, for a large model or another process that promotes: requests from other
// terminals are obeyed meanwhile, as of a study that does not run.
store::PromotionDecision decide_promotion(OpenedStudy& study, const RunRequest& request, const Clock& clock,
                                          const Interruption& interruption, Journal& journal) {
  const std::string& model = *request.spec.promote_model;
  if (study.store.load_history().best() == nullptr)
    return {model, false, 0, 0, "no trial completed with a value", {}};
  const Inbox inbox(request.store / study.row.name);
  std::map<std::string, Json> answers;
  bool is_stopped = false;
  const AskedStudy asked{request.spec, study.store, clock, journal, study.row, answers};
  SteadyTime next_look{};
  const auto is_interrupted = [&] {
    if (const SteadyTime now = clock.steady_now(); now >= next_look) {
      obey_at_rest(inbox, asked, [&] { is_stopped = true; });
      next_look = now + kLookAtInbox;
    }
    return is_stopped || interruption.count.load() > 0;
  };
  JudgeHooks judging;
  judging.signals = [&] { return is_interrupted() ? std::max(1, interruption.count.load()) : 0; };
  judging.notice = [&](const std::string& sentence) { journal.notice(sentence); };
  judging.resources = request.spec.resources;
  return promote_trial(study.store,
                       {request.store,
                        model,
                        std::nullopt,
                        is_interrupted,
                        [&](const std::string& sentence) { journal.notice("the promotion " + sentence); },
                        kCurrentAlias,
                        {request.spec.require, version_judge(std::move(judging))}});
}

// Promotes what the spec asks for, once: the decision is kept in the study's facts.
std::optional<store::PromotionDecision> promote_best(OpenedStudy& study, const RunRequest& request,
                                                     Status& status, const Clock& clock,
                                                     const Interruption& interruption) {
  if (!request.spec.promote_model) return std::nullopt;
  const fs::path folder = request.store / study.row.name;
  if (const auto& made = study.row.facts.promotion) {
    // The process that recorded it may have died before this.
    if (made->promoted) remove_losing_checkpoints(study.store, folder, made->trial);
    return made;
  }
  const std::string& model = *request.spec.promote_model;
  Journal journal(study.store, clock, status, [] { return false; });
  const store::PromotionDecision result = decide_promotion(study, request, clock, interruption, journal);
  study.row.facts.promotion = result;
  StatusEvent event;
  event.kind = StatusKind::kPromotion;
  event.trial = result.trial;
  event.message = result.promoted
                      ? model + " version " + std::to_string(result.version) + ": " + result.reason
                      : "model " + model + " was not promoted: " + result.reason;
  if (result.promoted)
    event.brief =
        "promoted: " + model + " version " + std::to_string(result.version) + " (" + result.reason + ")";
  journal.commit(
      [&](Journal::Entry& entry) {
        entry.store().update_study(study.row);
        entry.event(event);
      },
      Durability::kPower);
  crash_point("promotion_recorded");
  if (result.promoted) remove_losing_checkpoints(study.store, folder, result.trial);
  return result;
}

// "its trials compute in bf16: fp32 9.8, bf16 24.7 images/s"
std::string choice_of_precision(const store::Probe& probe) {
  std::string speeds;
  for (const store::ProbeCandidate& candidate : probe.candidates) {
    std::ostringstream speed;
    speed << std::fixed << std::setprecision(1)
          << candidate.units_per_second.value_or(candidate.images_per_second.value_or(0));
    speeds += (speeds.empty() ? ": " : ", ") + candidate.precision + " " + speed.str();
  }
  return "its trials compute in " + probe.precision + speeds +
         (speeds.empty() ? "" : " " + probe.unit.value_or("images") + "/s");
}

// Puts the trainer's speed and precision on this machine into `run`; measured once a study and machine. False
// when a person interrupted it.
bool probe(OpenedStudy& study, const RunRequest& request, const BuiltinTrainer& trainer,
           const Machine& machine, const fs::path& folder, Status& status, const Clock& clock,
           const Interruption& interruption, EarlyInbox& requests, store::RunFacts& run) {
  const Spec& spec = request.spec;
  Journal journal(study.store, clock, status, [] { return false; });
  store::Probes& probes = study.row.facts.probes;
  const std::string name = probe_name(machine, spec.resources);
  if (const auto known = request.known_probes.find(name);
      !probes.contains(name) && known != request.known_probes.end()) {
    probes[name] = known->second;
    probes[name].lease_seconds.reset();  // the study that made it pays for it
  }
  if (!probes.contains(name)) {
    journal.notice("tune-train is measured once on this machine, to choose its precision");
    std::optional<store::Probe> answer =
        probe_machine({trainer, spec, folder, study.row.seed,
                       [&] {
                         requests.obey_now_and_then();  // it may wait for hours for a GPU
                         return interruption.count.load();
                       },
                       [&](const std::string& sentence) { journal.notice(sentence); }});
    if (!answer) return false;
    journal.notice(choice_of_precision(*answer));
    probes[name] = std::move(*answer);
  }
  run.probe = probes[name];
  run.trainer = {trainer.description.value("version", ""), trainer.description.value("libtorch", "")};
  study.row.facts.precision = probes[name].precision;
  return true;
}

StudyResult run_loop(OpenedStudy& study, RunRequest& request, const std::optional<BuiltinTrainer>& trainer,
                     const RunHooks& hooks, const Clock& clock, Status& status, Interruption& interruption,
                     EarlyInbox& requests, WallTime began) {
  Spec& spec = request.spec;
  const fs::path folder = request.store / spec.study;
  const SetUp set_up(spec);
  Journal journal(study.store, clock, status, [] { return false; });
  for (const Problem& warning : set_up.warnings())
    journal.notice(warning.message + " (" + warning.pointer + " of the spec)");
  const auto strategy = strategies::make_study_strategy(spec.strategy, spec.space, spec.early_stopping,
                                                        spec.replicates, spec.objective, study.row.seed);
  const auto rule = strategies::make_stop_rule(spec.early_stopping, spec.objective);
  const RunnerKind kind = runner_kind(request, study.row);
  const TrialPlace place = make_trial_place(kind, study, request, journal, interruption, requests);
  if (!place.runner) return {Outcome::kInterrupted, "interrupted", 0, 0, 0, std::nullopt};
  TrialRunner& runner = *place.runner;
  study.row.facts.runner =
      kind == spec.runner.kind ? std::nullopt : std::optional<std::string>(runner_text(kind));
  const Machine machine = inspect_machine();
  if (hooks.on_begun) hooks.on_begun();
  store::RunFacts run = run_facts(machine, request.version, spec, request.store,
                                  [&](const std::string& sentence) { journal.notice(sentence); });
  // Of a cluster this machine says nothing: each trial chooses its precision where it runs.
  if (trainer && kind == RunnerKind::kLocal &&
      !probe(study, request, *trainer, machine, folder, status, clock, interruption, requests, run)) {
    return {Outcome::kInterrupted, "interrupted", 0, 0, 0, std::nullopt};
  }
  if (spec.limits.parallel) runner.set_parallel(*spec.limits.parallel);  // a request may have changed it
  record_run(study.row.facts, std::move(run), clock.wall_now());
  study.row.facts.promotion.reset();
  study.row.facts.driver.reset();  // whoever ran its trials before, this program does now
  const bool has_converged =
      !request.is_resume && store::study_end_in(study.row.finish_reason) == store::StudyEnd::kConvergence;
  study.row.state = store::StudyState::kRunning;
  study.store.update_study(study.row);
  hooks.on_runner(&runner);
  struct Unhook {
    const RunHooks& hooks;
    ~Unhook() { hooks.on_runner(nullptr); }
  } unhook{hooks};
  StudyLoop::Parts parts{spec, folder, study.store, *strategy, *rule, runner, clock, status, interruption};
  parts.set_up_fault = [&] { return set_up.fault(); };
  parts.has_converged = has_converged;
  parts.began = began;
  parts.work_folder = place.work;
  parts.leaves = request.leaves_jobs;
  StudyLoop loop(parts);
  return loop.run();
}

// A person who interrupts a promotion twice wants the process to be gone: it may wait for a disk that does
// not answer.
class PromotionUnderWay {
 public:
  explicit PromotionUnderWay(const RunHooks& hooks) : hooks_(hooks) { tell(true); }
  ~PromotionUnderWay() { tell(false); }
  PromotionUnderWay(const PromotionUnderWay&) = delete;
  PromotionUnderWay& operator=(const PromotionUnderWay&) = delete;

 private:
  void tell(bool begins) const {
    if (hooks_.on_promotion) hooks_.on_promotion(begins);
  }
  const RunHooks& hooks_;
};

// The first signal drains, the second ends the commands too.
Notifier::Parts notifier_parts(const RunRequest& request, const Interruption& interruption) {
  return {request.spec.notify,
          request.spec.folder,
          {{kStudyVariable, request.spec.study}, {kStoreVariable, request.store.string()}},
          {{"study", request.spec.study}, {"store", request.store.string()}},
          [&interruption] { return std::max(0, interruption.count.load() - 1); }};
}

Notice failure_of(const std::string& study, const Error& error, const Clock& clock) {
  return {NotifyOn::kFailed,
          "error:" + format_time(clock.wall_now()),
          study + " has failed: " + error.what(),
          {{"reason", error.what()}, {"hint", error.hint()}, {"exit_code", static_cast<int>(error.code())}}};
}

std::string best_text(const store::StudyRow& study, const std::optional<store::TrialRow>& best) {
  if (!best) return "no trial has completed";
  return "best trial " + std::to_string(best->number) + ", " + study.objective.metric + ' ' +
         number_text(best->values.front());
}

// What the end of a run is worth telling; nullopt where a person has interrupted it.
std::optional<Notice> end_of(const RunReport& report, const OpenedStudy& study) {
  if (report.result.outcome == Outcome::kInterrupted) return std::nullopt;
  const std::string& name = study.row.name;
  const std::optional<store::TrialRow> best =
      report.result.best_trial ? study.store.trial(*report.result.best_trial) : std::nullopt;
  Notice notice;
  notice.details = {{"reason", report.result.reason},
                    {"exit_code", static_cast<int>(report.exit_code)},
                    {"counts",
                     {{"completed", report.result.completed},
                      {"stopped", report.result.stopped},
                      {"failed", report.result.failed}}},
                    {"metric", study.row.objective.metric},
                    {"best", best ? Json{{"trial", best->number},
                                         {"value", number_to_json(best->values.front())},
                                         {"parameters", best->parameters}}
                                  : Json()}};
  if (report.promotion)
    notice.details["promotion"] = {{"model", report.promotion->model},
                                   {"promoted", report.promotion->promoted},
                                   {"version", report.promotion->version},
                                   {"reason", report.promotion->reason}};
  if (report.result.outcome == Outcome::kPaused) {
    notice.on = NotifyOn::kFailed;
    notice.key = "paused:" + std::to_string(study.store.last_event());
    notice.message = name + " has paused, and needs somebody: " + report.result.reason;
    return notice;
  }
  // The command that found the study ended may have died before it told anybody.
  notice.key = "end:" + std::to_string(study.store.last_event(event_kind(StatusKind::kStudyFinished)));
  notice.on = report.exit_code == ExitCode::kOk || report.exit_code == ExitCode::kNothingToPromote
                  ? NotifyOn::kFinished
                  : NotifyOn::kFailed;
  const std::string ended = " (" + report.result.reason + ")";
  if (report.promotion_failure)
    notice.message = name + " has finished" + ended + ", but its model could not be promoted";
  else if (notice.on == NotifyOn::kFailed)
    notice.message = name + " has failed" + ended + ": every trial failed";
  else
    notice.message = name + " has finished" + ended + ": " + best_text(study.row, best);
  if (report.promotion)
    notice.message += report.promotion->promoted ? "; promoted: " + report.promotion->model + " version " +
                                                       std::to_string(report.promotion->version)
                                                 : "; not promoted: " + report.promotion->reason;
  return notice;
}

// All of a run that lies between the open study and its end.
void work_on(OpenedStudy& study, RunRequest& request, const std::optional<BuiltinTrainer>& trainer,
             const RunHooks& hooks, const Clock& clock, Status& status, Interruption& interruption,
             EarlyInbox& requests, WallTime began, RunReport& report) {
  const Spec& spec = request.spec;
  report.had_ended =
      study.row.state == store::StudyState::kFinished && !may_go_on(study, spec, request.is_resume);
  if (report.had_ended) {
    report.result = result_of(study.store.load_history(), Outcome::kFinished, study.row.finish_reason);
    report.how_to_go_on = how_to_go_on(study, spec);
  } else {
    report.result = run_loop(study, request, trainer, hooks, clock, status, interruption, requests, began);
  }
  study.row = study.store.study();
  if (report.result.outcome == Outcome::kFinished) {
    try {
      const PromotionUnderWay under_way(hooks);
      report.promotion = promote_best(study, request, status, clock, interruption);
    } catch (const Error& error) {
      if (error.code() == ExitCode::kInterrupted) {
        report.result.outcome = Outcome::kInterrupted;  // the next run finds it finished, and promotes
      } else {
        report.promotion_failure = std::current_exception();
        report.exit_code = error.code();
      }
    }
  }
  if (!report.promotion_failure)
    report.exit_code = exit_code_of(report.result, study.store, report.promotion);
}

}  // namespace

ExitCode exit_code_at_rest(const store::StudyRow& study, const std::vector<store::TrialRow>& trials) {
  if (study.state == store::StudyState::kInterrupted && study.finish_reason.starts_with(store::kPausedNotice))
    return ExitCode::kEnvironment;
  if (study.state != store::StudyState::kFinished) return ExitCode::kInterrupted;
  if (has_every_trial_failed(trials)) return ExitCode::kEveryTrialFailed;
  if (!study.spec.contains("promote")) return ExitCode::kOk;
  if (!study.facts.promotion) return ExitCode::kEnvironment;
  return study.facts.promotion->promoted ? ExitCode::kOk : ExitCode::kNothingToPromote;
}

RunReport run_study(RunRequest request, const RunHooks& hooks, const Clock& clock,
                    Interruption& interruption) {
  request.store = fs::absolute(request.store).lexically_normal();
  Spec& spec = request.spec;
  std::optional<BuiltinTrainer> trainer;
  if (spec.trainer) {
    trainer = find_builtin_trainer();
    apply_builtin_trainer(spec, *trainer, request.spec_file, request.spec_text);
  }
  // Wrong names are found before a folder is made.
  strategies::make_strategy(spec.strategy, spec.space, spec.objective, 0);
  strategies::make_stop_rule(spec.early_stopping, spec.objective);
  Notifier notifier(notifier_parts(request, interruption));

  const WallTime began = clock.wall_now();
  OpenedStudy study = open_study(request.store, spec, request.spec_text, request.overrides);
  refuse_fewer_trials(study, request);
  spec.limits = limits_from_json(study.row.limits);
  if (request.retries_failed) study.notices.push_back(reopen_failed_trials(study, spec, clock));
  RunReport report;
  const std::vector<store::TrialRow> trials = study.store.trials();
  const std::unique_ptr<Status> display = hooks.make_status(study.row, trials);
  NotifyingStatus status(*display, study.store, clock, notifier);
  Journal journal(study.store, clock, status, [] { return false; });
  for (const std::string& notice : study.notices) journal.notice(notice);
  if (const auto warning = network_warning(request.store)) journal.notice(*warning);
  EarlyInbox requests(study, spec, request.store / spec.study, clock, journal, interruption, began);
  requests.obey();
  try {
    work_on(study, request, trainer, hooks, clock, status, interruption, requests, began, report);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kInterrupted) {
      status.tell_end(failure_of(study.row.name, error, clock));
      status.finish();
    }
    throw;
  }
  if (const auto notice = end_of(report, study)) status.tell_end(*notice);
  status.finish();
  return report;
}

}  // namespace tune::engine

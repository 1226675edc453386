#include "tuner/cli/run_and_report.h"

#include <functional>
#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/detached_run.h"
#include "tuner/cli/interruption.h"
#include "tuner/cli/status_display.h"
#include "tuner/cli/store_path.h"
#include "tuner/cli/tensorboard_status.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/shell_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/attempt/attempt_plan.h"
#include "tuner/live/live_study.h"
#include "tuner/report/text/failures.h"
#include "tuner/report/text/study_summary.h"

namespace tune::cli {
namespace {

constexpr const char* kRunLog = "tune.log";  // in the study's folder

// Where a study that pauses has its files.
struct Paused {
  std::filesystem::path store;
  std::string spec_file;  // as a person may type it
};

// The file that the study was last run with, where `resume` was not told it and it is still there.
std::string spec_file_of(const store::StudyStore& study, const std::filesystem::path& folder) {
  const std::optional<store::Origin> origin = study.study().facts.origin;
  const std::string name = origin ? origin->spec.value_or("") : "";
  std::error_code ignored;
  const bool is_there = !name.empty() && std::filesystem::is_regular_file(folder / name, ignored);
  return is_there ? (folder / name).string() : "SPEC";
}

// The attempt's log, as a command line names it.
std::string log_file(const std::filesystem::path& store, const std::string& study,
                     const engine::Pause& pause) {
  return (attempt_folder(store / study, {pause.trial, pause.attempt}) / kLogFile).string();
}

void print_pause(const engine::StudyResult& result, const std::string& study, const Paused& paused,
                 Console& console) {
  console.err << "error: the study pauses: " << visible_text(result.reason) << '\n';
  const engine::Pause& pause = *result.pause;
  if (!pause.log_end.empty()) console.err << "  their logs end with:\n";
  for (const std::string& line : pause.log_end) console.err << "    " << visible_text(line) << '\n';
  if (pause.trial > 0)
    console.err << "  `tune logs " << study << '/' << pause.trial
                << "` shows all of one; what its metrics are read from:\n"
                << "    tune check " << paused.spec_file << " --sample "
                << log_file(paused.store, study, pause) << '\n';
  if (!pause.hint.empty()) console.err << "  " << visible_text(pause.hint) << '\n';
}

Json pause_json(const engine::StudyResult& result, const std::string& study, const Paused& paused) {
  const engine::Pause& pause = *result.pause;
  const bool has_trial = pause.trial > 0;
  return {{"reason", result.reason},
          {"hint", pause.hint},
          {"log_end", pause.log_end},
          {"trial", has_trial ? Json(pause.trial) : Json()},
          {"log", has_trial ? Json(log_file(paused.store, study, pause)) : Json()}};
}

void print_end(const engine::RunReport& run, const report::StudyRows& rows, const Paused& paused,
               Console& console) {
  if (run.result.pause) return print_pause(run.result, rows.study.name, paused, console);
  if (run.exit_code == ExitCode::kInterrupted) {
    console.err << "interrupted; the same command goes on with the study\n";
  } else if (run.exit_code == ExitCode::kEveryTrialFailed) {
    console.err << "error: every trial failed (" << run.result.reason << ")\n";
    const std::vector<report::FailureGroup> failures = report::failure_groups(rows.trials);
    if (!failures.empty())
      console.err << "  see `tune logs " << rows.study.name << '/' << failures.front().trials.front()
                  << "`\n";
    if (!failures.empty() && failures.front().reason.starts_with("no_metric"))
      console.err << "  where a regex of the spec is wrong, `tune check " << paused.spec_file
                  << " --sample LOG` shows what it reads, and `tune rescan " << rows.study.name
                  << " --spec FILE` reads the logs again with the mended one\n";
  }
  if (run.had_ended) console.err << run.how_to_go_on << '\n';
}

// `on_begun` as of RunHooks.
int run(engine::RunRequest request, const Parsed& options, Console& console,
        const std::function<void()>& on_begun) {
  const bool as_json = options.has("json");
  const std::filesystem::path store = request.store;
  const std::string study = request.spec.study;
  const Paused paused{store, request.is_resume
                                 ? spec_file_of(open_study_for_reading(store, study), request.spec.folder)
                                 : request.spec_file};
  const SystemClock clock;
  engine::RunHooks hooks;
  const SearchSpace space = request.spec.space;
  hooks.make_status = [&](const store::StudyRow& row, const std::vector<store::TrialRow>& trials) {
    auto display = make_status_display(console, as_json, StudyProgress(row, trials, clock));
    if (!options.has("tensorboard")) return display;
    return std::unique_ptr<engine::Status>(std::make_unique<TensorBoardStatus>(
        std::move(display), options.text("tensorboard"), open_study_for_reading(store, study), space, clock));
  };
  hooks.on_runner = wake_on_signal;
  hooks.on_begun = on_begun;
  hooks.on_promotion = end_on_second_signal;
  const SignalsCaught signals;
  const engine::RunReport run = engine::run_study(std::move(request), hooks, clock, interruption());

  const report::StudyRows rows = live::read_live_study(store, study);
  if (as_json) {
    Json json = report::run_summary_json(rows, run.promotion);
    json["paused"] = run.result.pause ? pause_json(run.result, study, paused) : Json();
    json["exit_code"] = static_cast<int>(run.exit_code);
    print_json(json, console);
    finish_output(console.out, run.exit_code);
  } else {
    console.out << report::run_summary(rows, run.promotion, console.width);
    finish_output(console.out, run.exit_code);
    print_end(run, rows, paused, console);
  }
  if (run.promotion_failure) std::rethrow_exception(run.promotion_failure);
  return static_cast<int>(run.exit_code);
}

// How to go on with a study that goes on by itself.
void print_begun(const std::string& study, int pid, const std::filesystem::path& log, const Parsed& options,
                 Console& console) {
  const std::string store =
      is_store_named(options) ? " --store " + shell_word(store_folder(options).string()) : "";
  const std::string watch = "tune watch " + shell_word(study) + store,
                    stop = "tune stop " + shell_word(study) + store;
  if (options.has("json"))
    return print_json({{"schema", 1},
                       {"study", study},
                       {"pid", pid},
                       {"log", log.string()},
                       {"watch", watch},
                       {"stop", stop}},
                      console);
  console.out << "The study " << study << " goes on by itself (process " << pid << ").\n"
              << "  to watch it: " << visible_text(watch) << "\n  to stop it:  " << visible_text(stop)
              << "\n  its output:  " << visible_text(log.string()) << '\n';
}

}  // namespace

std::optional<RunnerKind> runner_option(const Parsed& options) {
  if (!options.has("runner")) return std::nullopt;
  const std::string text = options.text("runner");
  if (text != "local" && text != "slurm")
    throw Error(ExitCode::kUsage, "--runner \"" + text + "\" is no runner", "say local or slurm");
  return runner_from(text);
}

Options& declare_run(Options& options) {
  return options
      .flag("detach",
            "go on without this terminal, also after a log-out; `tune watch` and `tune stop` find it; on a "
            "cluster a signal leaves its jobs alone, and the same command takes them up again")
      .value("runner", "WHERE",
             "where the trials run, in place of runner.kind: local, or slurm for the cluster that sbatch "
             "submits to")
      .value("tensorboard", "DIR",
             "write TensorBoard's event files there as well; an empty folder gets earlier trials first");
}

int run_and_report(engine::RunRequest request, const Parsed& options, Console& console) {
  if (request.overrides.limits.cost_usd && !request.spec.usd_per_hour)
    throw Error(ExitCode::kUsage, "--cost-usd needs a price, and the spec has none",
                "add \"cost\": {\"usd_per_hour\": 3.06} to it, or limit --gpu-hours");
  request.runner = runner_option(options);
  request.leaves_jobs = options.has("detach");
  if (!options.has("detach")) return run(std::move(request), options, console, {});
  const std::string study = request.spec.study;
  const std::filesystem::path log = request.store / study / kRunLog;
  const auto work = [&](Console& plain, const Detach& detach) {
    return run_reporting_errors(command_line(), options.has("json"), plain, [&] {
      return run(std::move(request), options, plain, [&] { detach(log); });
    });
  };
  return run_detached(console, work, [&](int pid, const std::filesystem::path& file) {
    print_begun(study, pid, file, options, console);
  });
}

}  // namespace tune::cli

// `tune compare FILE`: approaches side by side on the same test images.
#include <algorithm>
#include <ostream>

#include "store/comparison_store.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/interruption.h"
#include "tuner/cli/output.h"
#include "tuner/cli/status_display.h"
#include "tuner/cli/store_path.h"
#include "tuner/cli/study_run.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/comparison_run.h"
#include "tuner/report/comparison_rows.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

struct PlannedStudy {
  std::string name, what;
};

std::string runs_text(int runs) { return std::to_string(runs) + (runs == 1 ? " run" : " runs"); }

// In the order in which they run.
std::vector<PlannedStudy> planned_studies(const Comparison& comparison) {
  std::vector<PlannedStudy> plan;
  const std::string fresh = runs_text(comparison.seeds) + " of its winner, on fresh seeds";
  for (std::size_t i = 0; i < comparison.approaches.size(); ++i) {
    const auto add = [&](StudyRole role, const std::string& what) {
      plan.push_back({study_name(comparison, i, role), what});
    };
    const std::string defaults = " at default hyperparameters";
    if (!comparison.approaches[i].has_search) {
      add(StudyRole::kDefaults, runs_text(comparison.seeds) + defaults);
      continue;
    }
    const std::optional<int> trials = search_trials(comparison, i);
    const std::string search = trials ? runs_text(*trials) : "as many runs as its time allows";
    add(StudyRole::kSearch, search);
    const std::string paid = trials ? "at most " + runs_text(std::max(*trials, comparison.seeds))
                                    : "as many runs as the search's device time pays for,";
    add(StudyRole::kDefaults, (comparison.best_of_seeds ? paid : runs_text(comparison.seeds)) + defaults);
    add(StudyRole::kTuned, fresh);
    if (!comparison.random_search) continue;
    add(StudyRole::kRandom, (trials ? search : "as many runs as the search had") + " at random points");
    add(StudyRole::kRandomTuned, fresh);
  }
  return plan;
}

int dry_run_of(const Comparison& comparison, bool as_json, Console& console) {
  const std::vector<PlannedStudy> plan = planned_studies(comparison);
  const std::string test =
      comparison.test.split ? "the third part of " + comparison.test.data : comparison.test.data;
  if (as_json) {
    Json studies = Json::array();
    for (const PlannedStudy& study : plan) studies.push_back({{"study", study.name}, {"runs", study.what}});
    print_json({{"schema", 1}, {"comparison", comparison.name}, {"studies", studies}, {"test", test}},
               console);
    return 0;
  }
  console.out << "Comparison " << comparison.name << '\n';
  for (const PlannedStudy& study : plan) console.out << "  " << study.name << ": " << study.what << '\n';
  console.out << "Then every model is scored, once, on " << visible_text(test) << ".\n"
              << "Nothing was started or written.\n";
  return 0;
}

engine::ComparisonHooks hooks_for(Console& console, bool as_json, std::size_t studies, const Clock& clock) {
  engine::ComparisonHooks hooks;
  hooks.study.make_status = [&console, as_json, &clock](const store::StudyRow& row,
                                                        const std::vector<store::TrialRow>& trials) {
    return make_status_display(console, as_json, row, trials, clock);
  };
  hooks.study.on_runner = wake_on_signal;
  const auto event = [&console](const char* name, const char* key, const std::string& text) {
    print_json({{"schema", 1}, {"event", name}, {key, text}}, console);
    console.out.flush();
    console.out.clear();  // whoever read this may be gone; the work goes on
  };
  hooks.begin_study = [&console, as_json, studies, event](const std::string& study) {
    if (as_json) return event("study", "study", study);
    console.err << "study " << study << " (of " << studies << ")\n";
    console.err.clear();
  };
  hooks.notice = [&console, as_json, event](const std::string& sentence) {
    if (as_json) return event("notice", "message", sentence);
    console.err << visible_text(sentence) << '\n';
    console.err.clear();
  };
  return hooks;
}

}  // namespace

int compare_command(const Arguments& arguments, Console& console) {
  Options declared("compare");
  declared.positional("FILE", "the comparison, as JSON")
      .value("gpus", "LIST", "GPUs to use: indices or UUIDs as in CUDA_VISIBLE_DEVICES, or none")
      .flag("score-again", "score the frozen models on the test images once more; this is counted and shown")
      .flag("dry-run", "list the studies; start and write nothing");
  const auto options = declared.parse(arguments, console);
  if (!options) return 0;
  choose_gpus(*options);
  const bool as_json = options->has("json");
  const Comparison comparison = read_comparison(options->text("FILE"));
  if (options->has("dry-run")) {
    engine::check_comparison(comparison, engine::find_builtin_trainer().description);
    return dry_run_of(comparison, as_json, console);
  }
  const fs::path store = fs::absolute(store_folder(*options)).lexically_normal();
  const SystemClock clock;
  const engine::ComparisonHooks hooks =
      hooks_for(console, as_json, planned_studies(comparison).size(), clock);
  const SignalsCaught signals;
  const engine::ComparisonRequest request{store, comparison, TUNE_VERSION, options->has("score-again")};
  if (!engine::run_comparison(request, hooks, clock, interruption())) {
    console.err << "interrupted; the same command goes on with the comparison\n";
    return static_cast<int>(ExitCode::kInterrupted);
  }
  const fs::path folder = engine::comparison_folder(store, comparison.name);
  const store::ComparisonStore record(folder / "comparison.db", store::OpenMode::kRead);
  const report::ComparisonReport report = report::read_comparison_report(store, comparison, record);
  write_file_atomically(folder / "comparison.md", report::comparison_markdown(report));
  if (as_json)
    print_json(report::comparison_json(report), console);
  else
    console.out << report::comparison_text(report) << (folder / "comparison.md").string()
                << "\nas a page with pictures: tune report " << comparison.name
                << (is_store_named(*options) ? " --store " + visible_text(store.string()) : std::string())
                << '\n';
  finish_output(console.out, ExitCode::kOk);
  return 0;
}

}  // namespace tune::cli

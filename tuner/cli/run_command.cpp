// `tune --spec FILE`: creates a study, or goes on with it.
#include <algorithm>
#include <ostream>
#include <utility>

#include "strategies/strategy.h"
#include "tuner/cli/checked_spec.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/dashboard_process.h"
#include "tuner/cli/estimate_text.h"
#include "tuner/cli/gpu_options.h"
#include "tuner/cli/limit_options.h"
#include "tuner/cli/number_options.h"
#include "tuner/cli/run_and_report.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"
#include "tuner/core/shell_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/attempt/attempt_plan.h"
#include "tuner/engine/study/builtin_trainer.h"
#include "tuner/engine/study/study_opening.h"
#include "tuner/engine/study/warm_start.h"
#include "tuner/metrics/regex_objection.h"
#include "tuner/report/text/format.h"

namespace tune::cli {
namespace {

constexpr int kShown = 5;

struct Planned {
  int trial = 0;
  strategies::Suggestion suggestion;
  engine::Attempt attempt;
};

// The first suggestions of an empty history, each seeing those before it as running.
std::vector<Planned> plan_trials(const Spec& spec, const std::filesystem::path& study_folder,
                                 std::uint64_t seed, std::vector<EarlierTrial> earlier) {
  const auto strategy = strategies::make_strategy(spec.strategy, spec.space, spec.objective, seed);
  History history{spec.objective, {}};
  history.second = spec.second_objective;
  if (!earlier.empty())
    history.earlier = std::make_shared<const std::vector<EarlierTrial>>(std::move(earlier));
  std::vector<Planned> planned;
  const int most = std::min(kShown, spec.limits.trials.value_or(kShown));
  while (static_cast<int>(planned.size()) < most) {
    const int number = history.next_number();
    Rng rng(seed, static_cast<std::uint64_t>(number));
    strategies::Answer answer = strategy->suggest(history, rng);
    auto* suggestion = std::get_if<strategies::Suggestion>(&answer);
    if (suggestion == nullptr) break;
    auto view = std::make_shared<TrialView>();
    view->number = number;
    view->parameters = suggestion->parameters;
    view->state = TrialState::kRunning;
    history.trials.push_back(view);
    engine::Attempt attempt = engine::plan_attempt(
        {spec, study_folder, seed}, {{number, 1}, "", view->parameters, suggestion->budget, false, {}});
    planned.push_back({number, std::move(*suggestion), std::move(attempt)});
  }
  return planned;
}

// What would be started, with nothing started and nothing written.
void dry_run(const Spec& spec, const std::filesystem::path& store, const engine::Overrides& overrides,
             bool as_json, const Json& estimate, Console& console) {
  const std::optional<std::uint64_t> given = overrides.seed ? overrides.seed : spec.strategy.seed;
  const std::uint64_t seed = given ? *given : entropy_seed();
  engine::WarmStartTrials earlier = engine::read_warm_start(store, spec, seed);
  for (const std::string& notice : earlier.notices) console.err << "notice: " << visible_text(notice) << '\n';
  const std::vector<Planned> planned = plan_trials(spec, store / spec.study, seed, std::move(earlier.trials));
  if (as_json) {
    Json trials = Json::array();
    for (const Planned& one : planned) {
      trials.push_back({{"trial", one.trial},
                        {"parameters", one.suggestion.parameters},
                        {"note", one.suggestion.note},
                        {"argv", one.attempt.argv},
                        {"working_directory", one.attempt.working_directory.string()}});
    }
    Json json{{"schema", 1},
              {"study", spec.study},
              {"seed", seed},
              {"seed_is_fixed", given.has_value()},
              {"trials", trials}};
    if (!estimate.is_null()) json["estimate"] = estimate;
    print_json(json, console);
    return;
  }
  console.out << "Study " << spec.study << ", seed " << seed
              << (given
                      ? ""
                      : " (drawn for this dry run; a run draws its own, unless the spec or --seed names one)")
              << '\n';
  console.out << "Commands start in " << visible_text(spec.folder.string()) << '\n';
  for (const Planned& one : planned) {
    console.out << "\nTrial " << one.trial << ": "
                << visible_text(report::parameters_text(one.suggestion.parameters));
    if (!one.suggestion.note.empty()) console.out << "  (" << one.suggestion.note << ')';
    console.out << "\n  " << visible_text(shell_text(one.attempt.argv)) << '\n';
  }
  console.out << "\nNothing was started or written. Later suggestions depend on the results of these.\n";
}

}  // namespace

int run_command(const Arguments& arguments, Console& console) {
  Options declared(command_line(), "run");
  declared.value("spec", "FILE", "the search, as JSON; `tune schema` describes it")
      .value("name", "STUDY", "the study's name, in place of the spec's")
      .value("seed", "N", "the seed, in place of strategy.seed")
      .flag("dry-run", "print the first suggestions and their commands; start and write nothing")
      .flag("serve", "show the search in a browser while it runs, as `tune serve` does, on a free port")
      .flag("estimate", "with --dry-run: also memory, storage, time and cost, as `tune estimate` says them");
  const auto options = declare_run(declare_limits(declared)).parse(arguments, console);
  if (!options) return 0;
  if (!options->has("spec"))
    throw Error(ExitCode::kUsage, "--spec FILE is missing", "for example: tune --spec search.json");
  choose_gpus(*options);

  engine::RunRequest request;
  request.overrides = {limits_given(*options), seed_option(*options)};
  request.spec_file = options->text("spec");
  request.spec = read_spec(request.spec_file, SpecUse::kRun, metrics::regex_objection);
  if (!options->has("json")) print_warnings(request.spec, console.err);
  request.spec_text = request.spec.text;  // a pipe can be read only once
  request.store = std::filesystem::absolute(store_folder(*options)).lexically_normal();
  request.version = TUNE_VERSION;
  if (options->has("name")) request.spec.study = options->text("name");
  study_folder(request.store, request.spec.study);
  if (options->has("estimate") && !options->has("dry-run"))
    throw Error(ExitCode::kUsage, "--estimate goes with --dry-run", "or say `tune estimate FILE`");
  for (const char* flag : {"detach", "serve"})
    if (options->has(flag) && options->has("dry-run"))
      throw Error(ExitCode::kUsage, "--" + std::string(flag) + " and --dry-run exclude each other",
                  "a dry run starts nothing");
  if (options->has("detach") && options->has("serve"))
    throw Error(ExitCode::kUsage,
                "--serve shows a search as long as this command runs, and --detach goes on without it",
                "start the search with --detach, and `tune serve` by itself");
  if (!options->has("dry-run")) {
    std::optional<DashboardProcess> dashboard;
    if (options->has("serve")) dashboard.emplace(request.store, console.err);
    return run_and_report(std::move(request), *options, console);
  }

  Spec& spec = request.spec;
  std::optional<engine::BuiltinTrainer> trainer;
  if (spec.trainer) {
    trainer = engine::find_builtin_trainer();
    engine::apply_builtin_trainer(spec, *trainer, request.spec_file, request.spec_text);
  }
  if (!spec.trainer && !options->has("json")) {
    spec.warnings.clear();  // they are printed
    warn_of_set_up(spec);
    print_warnings(spec, console.err);
  }
  spec.limits = limits_in_place(spec.limits, request.overrides.limits);
  std::optional<engine::SearchEstimate> estimate;
  if (options->has("estimate") && trainer) {
    estimate = estimate_search(spec, *trainer, {request.store}, console);
    if (!estimate) return static_cast<int>(ExitCode::kInterrupted);
  }
  Json estimated;
  if (options->has("estimate") && options->has("json"))
    estimated = estimate ? to_json(spec, *estimate) : bounds_json(spec);
  dry_run(spec, request.store, request.overrides, options->has("json"), estimated, console);
  if (options->has("json") || !options->has("estimate")) return 0;
  console.out << '\n';
  if (estimate)
    print_estimate(spec, *estimate, console.out);
  else
    print_bounds(spec, console.out);
  return 0;
}

}  // namespace tune::cli

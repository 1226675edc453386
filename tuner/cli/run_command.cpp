// `tune --spec FILE`: creates a study, or goes on with it.
#include "tuner/cli/checked_spec.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/dry_run.h"
#include "tuner/cli/number_options.h"
#include "tuner/cli/store_path.h"
#include "tuner/cli/study_run.h"
#include "tuner/core/error.h"
#include "tuner/engine/loop/builtin_trainer.h"

namespace tune::cli {
int run_command(const Arguments& arguments, Console& console) {
  Options declared(command_line(), "run");
  declared.value("spec", "FILE", "the search, as JSON; `tune schema` describes it")
      .value("name", "STUDY", "the study's name, in place of the spec's")
      .value("seed", "N", "the seed, in place of strategy.seed")
      .flag("dry-run", "print the first suggestions and their commands; start and write nothing");
  const auto options = declare_limits(declared).parse(arguments, console);
  if (!options) return 0;
  if (!options->has("spec"))
    throw Error(ExitCode::kUsage, "--spec FILE is missing", "for example: tune --spec search.json");
  choose_gpus(*options);

  engine::RunRequest request;
  request.overrides = limit_overrides(*options);
  request.overrides.seed = seed_option(*options);
  request.spec_file = options->text("spec");
  request.spec = read_spec(request.spec_file, SpecUse::kRun, regex_problem);
  if (!options->has("json")) print_warnings(request.spec, console.err);
  request.spec_text = request.spec.text;  // a pipe can be read only once
  request.store = std::filesystem::absolute(store_folder(*options)).lexically_normal();
  request.version = TUNE_VERSION;
  if (options->has("name")) request.spec.study = options->text("name");
  study_folder(request.store, request.spec.study);
  if (!options->has("dry-run")) return run_and_report(std::move(request), options->has("json"), console);

  Spec& spec = request.spec;
  if (spec.trainer) {
    engine::apply_builtin_trainer(spec, engine::find_builtin_trainer(), request.spec_file, request.spec_text);
  }
  if (!spec.trainer && !options->has("json")) {
    spec.warnings.clear();  // they are printed
    warn_of_set_up(spec);
    print_warnings(spec, console.err);
  }
  spec.limits = engine::override_limits(spec.limits, request.overrides);
  return dry_run(spec, request.store, request.overrides, options->has("json"), console);
}

}  // namespace tune::cli

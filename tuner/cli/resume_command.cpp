// `tune resume STUDY`: goes on with a study out of its own store, with higher limits where asked for.
#include "tuner/cli/checked_spec.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/gpu_options.h"
#include "tuner/cli/limit_options.h"
#include "tuner/cli/run_and_report.h"
#include "tuner/cli/store_path.h"
#include "tuner/live/stored_spec.h"

namespace tune::cli {

int resume_command(const Arguments& arguments, Console& console) {
  Options declared(command_line(), "resume");
  declared.positional("STUDY", "the study's name")
      .flag("retry-failed", "run the failed trials again, each from its last checkpoint where it has one");
  const auto options = declare_run(declare_limits(declared)).parse(arguments, console);
  if (!options) return 0;
  choose_gpus(*options);

  engine::RunRequest request;
  request.store = std::filesystem::absolute(store_folder(*options)).lexically_normal();
  const std::string study = options->text("STUDY");
  // An older tune's database cannot be opened for reading only, and this is the command that migrates it.
  require_study(request.store, study);
  engine::hold_study(request.store, study);
  {
    const store::StudyStore stored = open_study_for_reading(request.store, study);
    const store::StudyRow row = stored.study();
    request.spec = live::read_stored_spec(row, engine::spec_folder_now(row, request.store), stored.file());
    request.spec.study = row.name;
    request.spec_file = request.spec.file;
    request.spec_text = row.spec_text;
  }
  if (!options->has("json")) print_warnings(request.spec, console.err);
  request.overrides.limits = limits_given(*options);
  request.is_resume = true;
  request.retries_failed = options->has("retry-failed");
  request.version = TUNE_VERSION;
  return run_and_report(std::move(request), *options, console);
}

}  // namespace tune::cli

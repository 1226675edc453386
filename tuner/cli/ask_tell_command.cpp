// `tune ask-tell`: suggestions for a program that runs the trials itself, over lines of JSON.
#include <iostream>

#include "strategies/stop_rule.h"
#include "strategies/strategy.h"
#include "tuner/cli/ask_tell_line.h"
#include "tuner/cli/checked_spec.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/number_options.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"
#include "tuner/engine/study/ask_tell.h"
#include "tuner/engine/study/study_opening.h"
#include "tuner/os/file_system.h"

namespace tune::cli {
namespace {

// The next line without its end; only the beginning of a line that is too long. False at the end of the
// stream.
bool read_line(std::istream& in, std::string& line) {
  line.clear();
  bool is_any = false;
  for (int c = in.get(); c != std::istream::traits_type::eof(); c = in.get()) {
    is_any = true;
    if (c == '\n') break;
    if (line.size() <= kLongestLine) line += static_cast<char>(c);
  }
  return is_any;
}

// Until the end of stdin. Each answer is flushed, since a caller waits for it.
void answer_lines(engine::AskTell& session, Console& console) {
  for (std::string line; read_line(std::cin, line);) {
    console.out << answer_line(session, line) << '\n' << std::flush;
    if (!console.out) throw Error(ExitCode::kEnvironment, "stdout cannot be written: is the disk full?");
  }
}

void run_session(const Spec& spec, std::uint64_t seed, store::StudyStore* store, Console& console) {
  const auto strategy = strategies::make_study_strategy(spec.strategy, spec.space, spec.early_stopping,
                                                        spec.replicates, spec.objective, seed);
  const auto rule = strategies::make_stop_rule(spec.early_stopping, spec.objective);
  const SystemClock clock;
  engine::AskTell session({spec, seed, *strategy, *rule, clock, store,
                           [&](const std::string& notice) { console.err << "notice: " << notice << '\n'; }});
  answer_lines(session, console);
  session.close();
}

}  // namespace

int ask_tell_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "ask-tell")
                           .value("spec", "FILE", "the search; needs neither trainer nor command nor metrics")
                           .value("name", "STUDY", "the study's name, in place of the spec's")
                           .value("seed", "N", "the seed, in place of strategy.seed")
                           .value("trials", "N", "trials in all, in place of limits.trials")
                           .parse(arguments, console);
  if (!options) return 0;
  if (!options->has("spec"))
    throw Error(ExitCode::kUsage, "--spec FILE is missing", "for example: tune ask-tell --spec search.json");
  const std::string file = options->text("spec");
  Spec spec = read_spec(file, SpecUse::kAskTell);
  if (spec.limits.gpu_hours || spec.limits.cost_usd)
    throw Error(ExitCode::kBadSpec,
                file + ": limits.gpu_hours and limits.cost_usd count the devices of trials that tune starts",
                "limit \"trials\" or \"time\" for ask-tell");
  print_warnings(spec, console.err);
  if (options->has("name")) spec.study = options->text("name");
  engine::Overrides overrides;
  overrides.limits.trials = count_option(*options, "trials");
  overrides.seed = seed_option(*options);
  if (!options->has("store")) {
    if (!spec.warm_start.empty())
      throw Error(ExitCode::kUsage, "warm_start needs a store, where the earlier studies are",
                  "add --store DIR");
    spec.limits = limits_in_place(spec.limits, overrides.limits);
    const auto given = overrides.seed ? overrides.seed : spec.strategy.seed;
    run_session(spec, given ? *given : entropy_seed(), nullptr, console);
    return 0;
  }
  // Wrong names are found before a folder is made.
  strategies::make_strategy(spec.strategy, spec.space, spec.objective, 0);
  const std::filesystem::path folder = std::filesystem::absolute(store_folder(*options)).lexically_normal();
  study_folder(folder, spec.study);
  engine::OpenedStudy study = engine::open_study(folder, spec, spec.text, overrides);
  if (const auto warning = network_warning(folder)) study.notices.push_back(*warning);
  for (const std::string& notice : study.notices) console.err << "notice: " << notice << '\n';
  spec.limits = limits_from_json(study.row.limits);
  study.row.facts.driver = "ask-tell";
  study.row.facts.tune = TUNE_VERSION;
  study.store.update_study(study.row);
  run_session(spec, study.row.seed, &study.store, console);
  return 0;
}

}  // namespace tune::cli

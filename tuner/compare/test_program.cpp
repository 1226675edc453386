#include "tuner/compare/test_program.h"

#include <cmath>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/line_splitter.h"
#include "tuner/engine/attempt/attempt_launch.h"
#include "tuner/engine/attempt/attempt_plan.h"
#include "tuner/engine/devices/device_wait.h"
#include "tuner/metrics/metric_reader.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/run_program.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

// A large model over a large test set on a slow machine takes hours; more means that it hangs.
constexpr std::chrono::hours kLongestTest{24};
constexpr const char* kGoesOn = "the same command goes on once the cause is gone";

}  // namespace

TestProgram::TestProgram(const Comparison& comparison, std::function<int()> signals,
                         std::function<void(const std::string&)> notice)
    : comparison_(comparison), signals_(std::move(signals)), notice_(std::move(notice)) {}

// `folder` lies in that of its attempt, beside trial.json, which says what its training was given.
std::vector<std::string> TestProgram::arguments_for(const fs::path& folder) const {
  const fs::path file = folder.parent_path() / kTrialFile;
  const Json trial = Json::parse(read_file(file), nullptr, false);
  if (!trial.is_object() || !trial.contains("checkpoint_dir") || !trial.contains("seed"))
    throw Error(ExitCode::kEnvironment, file.string() + " is damaged", "restore it");
  return engine::fill_arguments(comparison_.own_test->command, SearchSpace(),
                                {{"output_dir", folder.string()},
                                 {"trial_file", file.string()},
                                 {"checkpoint_dir", trial["checkpoint_dir"]},
                                 {"seed", trial["seed"]}});
}

std::map<std::string, std::string> TestProgram::environment_for(const fs::path& folder) const {
  std::map<std::string, std::string> environment;
  for (const auto& [name, value] : comparison_.own_test->environment)
    environment[name] = environment_text(value, name, "the test");
  environment["TUNE_OUTPUT_DIR"] = folder.string();
  environment["TUNE_TRIAL_FILE"] = (folder.parent_path() / kTrialFile).string();
  return environment;
}

double TestProgram::score_in(const std::string& printed, const fs::path& log) const {
  const std::string& metric = comparison_.own_test->metric;
  metrics::MetricReader reader(comparison_.own_test->metrics);
  std::optional<double> score;
  std::string unread;
  LineSplitter splitter;
  const auto read = [&](std::string_view line) {
    for (const metrics::Match& match : reader.read(line))
      if (match.name == metric) score = match.point.value;
    for (const metrics::Unread& one : reader.unread())
      if (one.name == metric) unread = one.text;
  };
  splitter.feed(printed, read);
  splitter.finish(read);
  if (score && std::isfinite(*score)) return *score;
  const std::string wrong = score            ? "gave " + shortest(*score) + " for \"" + metric + "\""
                            : unread.empty() ? "printed no \"" + metric + "\""
                                             : "printed no number for \"" + metric + "\": " + unread;
  throw Error(ExitCode::kEnvironment, "the test of " + log.stem().string() + " " + wrong,
              log.string() + " holds what it printed; " + kGoesOn);
}

TestProgram::Tested TestProgram::test(const fs::path& folder, const fs::path& log) const {
  Program program{arguments_for(folder), comparison_.folder};
  program.environment = environment_for(folder);
  engine::DevicePool pool(1, comparison_.resources);
  const std::optional<engine::DeviceShare> share =
      engine::wait_for_share(pool, {signals_, notice_, "the models are tested"});
  if (!share) throw Error(ExitCode::kInterrupted, "interrupted");
  const SteadyTime begin = std::chrono::steady_clock::now();
  for (const auto& [name, value] : engine::device_environment(*share)) program.environment[name] = value;
  for (const engine::Lease& lease : share->leases) program.inherited.push_back(lease.descriptor());
  program.signals = signals_;
  program.time_limit = kLongestTest;
  std::string printed;
  program.on_line = [&](const std::string& line) { printed += line + '\n'; };
  const ProgramOutput output = run_program(program);
  if (signals_() > 0) throw Error(ExitCode::kInterrupted, "interrupted");
  const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - begin;
  printed += output.out;
  write_file_atomically(log, printed);
  if (output.exit_code != 0)
    throw Error(
        ExitCode::kEnvironment,
        "the test of " + log.stem().string() + " failed: exit code " + std::to_string(output.exit_code),
        log.string() + " holds what it printed; " + kGoesOn);
  return {lasted.count(), score_in(printed, log)};
}

std::string test_text(const OwnTest& test) {
  if (test.command.empty()) return "the last \"" + test.metric + "\" that its training printed";
  std::string text;
  for (const std::string& element : test.command) text += (text.empty() ? "" : " ") + element;
  return text;
}

}  // namespace tune::compare

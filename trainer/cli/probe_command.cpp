// `tune-train probe`: which precision trains faster on this machine, with the trial's model, batch and
// threads.
#include <algorithm>
#include <chrono>
#include <iomanip>
#include <ostream>
#include <sstream>

#include "trainer/cli/commands.h"
#include "trainer/cli/train.h"
#include "trainer/loop/probe.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/task_table.h"
#include "tuner/core/error.h"

namespace tune::trainer::cli {
namespace {

constexpr double kSlowStart = 2, kMostSeconds = 3600;  // seconds
constexpr std::int64_t kMostOperators = 1000;

void print_text(const loop::ProbeResult& result, const loop::Compute& compute, const std::string& unit,
                std::ostream& out) {
  out << "device " << compute.device.str() << ", " << compute.threads
      << (compute.threads == 1 ? " thread" : " threads") << "\n\nprecision" << std::setw(10) << unit + "/s"
      << "  peak memory\n";
  for (const loop::ProbeCandidate& candidate : result.candidates)
    out << std::left << std::setw(9) << loop::precision_name(candidate.precision) << std::right << std::fixed
        << std::setprecision(1) << std::setw(10) << candidate.units_per_second << std::setw(9)
        << static_cast<double>(candidate.peak_memory_bytes) / (1 << 20) << " MiB\n";
  out << "\nchoice: " << loop::precision_name(result.precision) << "\n";
  if (result.validation_seconds)
    out << "a validation takes " << std::setprecision(2) << *result.validation_seconds << " s\n";
}

double total(const std::vector<loop::OperatorTime>& times) {
  double seconds = 0;
  for (const loop::OperatorTime& time : times) seconds += time.seconds;
  return seconds;
}

constexpr std::size_t kWidestName = 90;  // a kernel's may have thousands of letters

void print_operators(const std::vector<loop::OperatorTime>& times, std::size_t most, std::ostream& out) {
  const double all = total(times);
  out << "\nwhere " << loop::kProfiledSteps << " steps spend their time (" << std::setprecision(1)
      << 1e3 * all << " ms)\n";
  for (std::size_t i = 0; i < std::min(most, times.size()); ++i)
    out << std::setw(6) << 100 * times[i].seconds / all << " %" << std::setw(10) << 1e3 * times[i].seconds
        << " ms" << std::setw(7) << times[i].calls << " calls  " << times[i].name.substr(0, kWidestName)
        << "\n";
}

OrderedJson operators_json(const std::vector<loop::OperatorTime>& times, std::size_t most) {
  OrderedJson rows = OrderedJson::array();
  for (std::size_t i = 0; i < std::min(most, times.size()); ++i)
    rows.push_back({{"name", times[i].name}, {"seconds", times[i].seconds}, {"calls", times[i].calls}});
  return {{"steps", loop::kProfiledSteps}, {"seconds", total(times)}, {"longest", rows}};
}

OrderedJson to_json(const loop::ProbeResult& result, const loop::Compute& compute, const std::string& unit,
                    std::int64_t examples, double measured_seconds) {
  // Names that came before there was another unit.
  const bool of_images = unit == "images";
  OrderedJson candidates = OrderedJson::array();
  for (const loop::ProbeCandidate& candidate : result.candidates) {
    OrderedJson json{{"precision", loop::precision_name(candidate.precision)}};
    if (of_images) json["images_per_second"] = candidate.examples_per_second;
    json["units_per_second"] = candidate.units_per_second;
    json["examples_per_second"] = candidate.examples_per_second;
    json["peak_memory_bytes"] = candidate.peak_memory_bytes;
    candidates.push_back(std::move(json));
  }
  OrderedJson json{
      {"schema", 1}, {"device", compute.device.str()}, {"precision", loop::precision_name(result.precision)}};
  if (of_images) json["training_images"] = examples;
  json["unit"] = unit;
  json["training_examples"] = examples;
  json["candidates"] = candidates;
  json["validation_seconds"] =
      result.validation_seconds ? OrderedJson(*result.validation_seconds) : OrderedJson();
  json["measured_seconds"] = measured_seconds;
  return json;
}

}  // namespace

int run_probe(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "probe")
          .add({"trial", "FILE", "trial.json of a trial as it will run", true})
          .add({"seconds", "S", "time for each precision", false, false, "3"})
          .add({"operators", "N", "also show the N operators that a step spends most time in"})
          .parse(arguments, console);
  if (!options) return 0;
  loop::catch_stop_signals();
  const loop::TrialFile trial = loop::read_trial_file(options->text("trial"));
  const auto most = static_cast<std::size_t>(options->integer("operators", 1, kMostOperators).value_or(0));
  loop::Compute compute = compute_of(trial);
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const loop::Task& task = task_of(trial);
  // The trial's own precision is what a probe is for; what its hyperparameters say is not for it to choose.
  std::optional<loop::Precision> known =
      task.precision != nullptr ? known_precision(task, trial, compute, console.err) : std::nullopt;
  compute.precision = known.value_or(loop::Precision::kFp32);
  std::unique_ptr<loop::Training> training = task.start(trial, compute, console.err);
  // What is left of the command's time, measured_seconds apart, is what a trial takes to start. What the
  // first use of a data set costs (the search for overlapping crops) is kept, so a trial does not pay it
  // again.
  double made_before = 0;
  if (elapsed() > kSlowStart) {
    made_before = elapsed();
    training.reset();
    std::ostringstream said_already;
    training = task.start(trial, compute, said_already);
  }
  const double made = elapsed() - made_before;
  // A head on kept features: what passes the network before it is not measured, and has to stay in fp32.
  if (!known && task.precision == nullptr && !training->is_worth_a_probe()) known = loop::Precision::kFp32;
  const loop::ProbeResult result = loop::probe(
      *training, compute, *options->number("seconds", 0, kMostSeconds), loop::stop_requested, known);
  if (loop::stop_requested()) return static_cast<int>(ExitCode::kInterrupted);
  compute.precision = result.precision;
  const auto operators = most > 0 ? loop::profile_steps(*training, compute, loop::stop_requested)
                                  : std::vector<loop::OperatorTime>();
  if (loop::stop_requested()) return static_cast<int>(ExitCode::kInterrupted);
  if (options->has("json")) {
    OrderedJson json = to_json(result, compute, task.unit, training->training_examples(), elapsed() - made);
    if (most > 0) json["operators"] = operators_json(operators, most);
    print_ordered(json, console, /*indent=*/-1);
  } else {
    print_text(result, compute, task.unit, console.out);
    if (most > 0) print_operators(operators, most, console.out);
  }
  return 0;
}

}  // namespace tune::trainer::cli

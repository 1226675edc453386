// `tune-train estimate`: what a trial will take of memory, storage and time.
#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <iomanip>
#include <ostream>

#include "trainer/cli/commands.h"
#include "trainer/cli/train.h"
#include "trainer/loop/estimate.h"
#include "trainer/loop/memory.h"
#include "trainer/loop/rule_of_thumb.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/task_table.h"
#include "tuner/core/error.h"

namespace tune::trainer::cli {
namespace {

namespace fs = std::filesystem;

constexpr double kMostTimedSeconds = 3600;

// Of a file, or of all files in a folder; 0 for what is not there.
std::int64_t bytes_on_disk(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return static_cast<std::int64_t>(fs::file_size(path, error));
  std::int64_t bytes = 0;
  for (fs::recursive_directory_iterator at(path, fs::directory_options::skip_permission_denied, error), end;
       !error && at != end; at.increment(error)) {
    std::error_code unread;
    if (at->is_regular_file(unread)) bytes += static_cast<std::int64_t>(at->file_size(unread));
  }
  return bytes;
}

// What the trial reads: the base that it starts from, and its data.
struct Read {
  std::int64_t base = 0, data = 0;
};
Read read_bytes(const Json& trainer) {
  Read read;
  for (const char* key : {"weights", "adapter"})
    if (const std::string path = loop::text_key(trainer, key, ""); !path.empty())
      read.base += bytes_on_disk(path);
  for (const char* key : {"data", "validation", "test"})
    if (trainer.contains(key) && trainer[key].is_string())
      read.data += bytes_on_disk(trainer[key].get<std::string>());
  return read;
}

OrderedJson memory_json(const loop::MemoryEstimate& memory) {
  const loop::MemoryParts& parts = memory.parts;
  return {{"total_bytes", parts.total},
          {"parts",
           {{"program", parts.program},
            {"data", parts.data},
            {"weights", parts.weights},
            {"gradients", parts.gradients},
            {"optimizer", parts.optimizer},
            {"activations", parts.activations},
            {"logits", parts.logits},
            {"cache", parts.cache},
            {"unused", parts.unused}}},
          {"phases",
           {{"starting", memory.starting},
            {"training", memory.training},
            {"evaluating", memory.evaluating},
            {"exporting", memory.exporting}}},
          {"bytes_per_example", memory.bytes_per_example},
          {"counted_at", memory.counted_at},
          {"carried_on_bytes", memory.carried_on},
          {"measured_bytes", memory.measured ? OrderedJson(*memory.measured) : OrderedJson()}};
}

OrderedJson time_json(const loop::TimeEstimate& time) {
  return {{"seconds", time.seconds},
          {"least_seconds", time.least_seconds},
          {"start_seconds", time.start_seconds},
          {"epochs", time.epochs},
          {"batches_per_epoch", time.batches},
          {"steps", time.steps},
          {"epoch_seconds", time.epoch_seconds},
          {"evaluations", time.evaluations},
          {"validation_seconds", time.validation_seconds},
          {"validation_is_measured", time.measures_validation},
          {"checkpoint_seconds", time.checkpoint_seconds},
          {"end_seconds", time.end_seconds}};
}

OrderedJson to_json(const loop::TrainingEstimate& estimate, const loop::Compute& compute,
                    const std::string& unit, const Read& read, const loop::RuleOfThumb& simple) {
  const loop::StorageEstimate& storage = estimate.storage;
  return {{"schema", 1},
          {"method", "detailed"},
          {"device", compute.device.str()},
          {"threads", compute.threads},
          {"precision", loop::precision_name(compute.precision)},
          {"parameters", estimate.parameters},
          {"trained_parameters", estimate.trained_parameters},
          {"unit", unit},
          {"examples", estimate.examples},
          {"units_per_epoch", estimate.units_per_epoch},
          {"processes", compute.team->size()},
          {"batch_size", estimate.batch_size},
          {"memory", memory_json(estimate.memory)},
          {"time", time_json(estimate.time)},
          {"storage",
           {{"base_bytes", read.base},
            {"data_bytes", read.data},
            {"checkpoint_bytes", storage.checkpoint_bytes},
            {"checkpoints", storage.checkpoints},
            {"exported_bytes", storage.exported_bytes}}},
          {"simple", to_json(simple)}};
}

std::string gib(std::int64_t bytes) {
  char text[32];
  const double number = static_cast<double>(bytes);
  if (number < 1e9)
    std::snprintf(text, sizeof text, "%.1f MB", number / 1e6);
  else
    std::snprintf(text, sizeof text, "%.2f GB", number / 1e9);
  return text;
}

std::string seconds_text(double seconds) {
  char text[32];
  if (seconds < 120)
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  else if (seconds < 7200)
    std::snprintf(text, sizeof text, "%.1f min", seconds / 60);
  else
    std::snprintf(text, sizeof text, "%.1f h", seconds / 3600);
  return text;
}

void print_row(const char* name, const std::string& value, std::ostream& out) {
  out << "  " << std::left << std::setw(13) << name << std::right << std::setw(11) << value << '\n';
}

void print_memory(const loop::TrainingEstimate& estimate, int processes, std::ostream& out) {
  const loop::MemoryEstimate& memory = estimate.memory;
  out << (processes > 1 ? "\nmemory of each process\n" : "\nmemory\n");
  const loop::MemoryParts& parts = memory.parts;
  for (const auto& [name, bytes] : {std::pair{"program", parts.program},
                                    {"data", parts.data},
                                    {"weights", parts.weights},
                                    {"gradients", parts.gradients},
                                    {"optimizer", parts.optimizer},
                                    {"activations", parts.activations},
                                    {"logits", parts.logits},
                                    {"cache", parts.cache},
                                    {"unused", parts.unused}})
    if (bytes > 0) print_row(name, gib(bytes), out);
  print_row("total", gib(parts.total), out);
  if (parts.total > memory.training)
    out << "  the most is held while it "
        << (parts.total == memory.exporting    ? "exports the model"
            : parts.total == memory.evaluating ? "evaluates"
                                               : "starts")
        << "; training takes " << gib(memory.training) << '\n';
  out << "  counted in steps of ";
  for (std::size_t i = 0; i < memory.counted_at.size(); ++i)
    out << (i > 0 ? " and " : "") << memory.counted_at[i];
  out << " examples";
  if (memory.counted_at.back() < estimate.batch_size) {
    out << ", carried on to " << estimate.batch_size;
    if (memory.measured)
      out << " (" << gib(memory.carried_on) << "), measured there " << gib(*memory.measured);
  }
  out << '\n';
}

void print_text(const loop::TrainingEstimate& estimate, const loop::Compute& compute, const std::string& unit,
                const Read& read, const loop::RuleOfThumb& simple, std::ostream& out) {
  out << "device " << compute.device.str() << ", " << loop::precision_name(compute.precision) << ", "
      << compute.threads << (compute.threads == 1 ? " thread\n" : " threads\n") << estimate.parameters
      << " parameters, " << estimate.trained_parameters << " trained; " << estimate.examples << " examples";
  if (estimate.units_per_epoch != estimate.examples) out << ", " << estimate.units_per_epoch << ' ' << unit;
  out << "; batches of " << estimate.batch_size;
  if (compute.team->size() > 1) out << " in each of " << compute.team->size() << " processes";
  out << '\n';
  print_memory(estimate, compute.team->size(), out);
  out << "  rule of thumb: " << gib(simple.total()) << " (weights " << gib(simple.weights) << ", gradients "
      << gib(simple.gradients) << ", optimizer " << gib(simple.optimizer) << ")\n";

  const loop::TimeEstimate& time = estimate.time;
  out << "\ntime\n";
  print_row("start", seconds_text(time.start_seconds), out);
  print_row("epoch", seconds_text(time.epoch_seconds), out);
  print_row("validation", seconds_text(time.validation_seconds), out);
  print_row("checkpoint", seconds_text(time.checkpoint_seconds), out);
  print_row("end", seconds_text(time.end_seconds), out);
  print_row("trial", seconds_text(time.seconds), out);
  out << "  of " << time.epochs << " epochs, " << time.steps << " steps, " << time.evaluations
      << " evaluations\n";
  if (time.least_seconds < time.seconds)
    out << "  it may stop early by itself, after " << seconds_text(time.least_seconds) << " at the least\n";

  const loop::StorageEstimate& storage = estimate.storage;
  out << "\nstorage\n";
  print_row("base", gib(read.base), out);
  print_row("data", gib(read.data), out);
  print_row("checkpoints", gib(storage.checkpoint_bytes * storage.checkpoints), out);
  print_row("model", gib(storage.exported_bytes), out);
}

}  // namespace

int run_estimate(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "estimate")
                           .add({"trial", "FILE", "trial.json of a trial as it will run", true})
                           .add({"seconds", "S", "time for steps that are timed", false, false, "3"})
                           .parse(arguments, console);
  if (!options) return 0;
  loop::catch_stop_signals();
  const loop::TrialFile trial = loop::read_trial_file(options->text("trial"));
  const loop::Task& task = task_of(trial);
  loop::Compute compute = compute_of(trial);
  // What it has computed by now is what it took to be loaded.
  const double loading = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  loop::TensorMemory tensors(compute.device);
  loop::EstimateRequest request{compute, tensors};
  request.program_bytes = loop::begin_peak_memory(compute.device);
  std::unique_ptr<loop::Training> training;
  const auto start = [&](std::ostream& notes) {
    training.reset();
    loop::forget_peak_memory(compute.device);
    const auto begin = std::chrono::steady_clock::now();
    training = task.start(trial, compute, notes);
    request.start_seconds =
        loading + std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    request.starting_bytes = loop::peak_memory_bytes(compute.device);
  };
  training = start_training(task, trial, compute, console.err);
  // Once more: what the first use of a data set costs is kept, so that a trial does not pay it, and a probe
  // has spoilt the model.
  std::ostream quiet(nullptr);
  start(quiet);
  loop::forget_peak_memory(compute.device);
  request.seconds = *options->number("seconds", 0, kMostTimedSeconds);
  request.seed = trial.seed;
  request.interrupted = loop::stop_requested;
  const loop::TrainingEstimate estimate = loop::estimate(*training, request);
  if (loop::stop_requested()) return static_cast<int>(ExitCode::kInterrupted);
  const loop::RuleOfThumb simple = loop::rule_of_thumb(estimate.parameters, estimate.trained_parameters,
                                                       compute.precision, training->plan().optimizer);
  const Read read = read_bytes(trial.trainer);
  if (options->has("json"))
    print_ordered(to_json(estimate, compute, task.unit, read, simple), console, /*indent=*/-1);
  else
    print_text(estimate, compute, task.unit, read, simple, console.out);
  return 0;
}

}  // namespace tune::trainer::cli

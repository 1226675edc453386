// `tune-train pretrain`: a starter backbone from generated images.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>
#include <ostream>
#include <sstream>

#include "trainer/cli/train.h"
#include "trainer/loop/checkpoint.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/tasks/pretraining/task.h"
#include "trainer/weights/safetensors.h"
#include "trainer/weights/weight_file.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace fs = std::filesystem;

namespace tune::trainer::cli {
namespace {

// An option that is a hyperparameter of the task.
struct Row {
  const char *option, *hyperparameter, *help;
};
constexpr Row kRows[] = {
    {"epochs", "epochs", "how often to draw --images new images, and to keep a checkpoint"},
    {"images", "images", "images in an epoch"},
    {"classes", "classes", "how many kinds of images to tell apart"},
    {"size", "size", "pixels on a side of the images"},
    {"batch", "batch_size", "images in a step"}};

const loop::Hyperparameter& hyperparameter(const std::string& name) {
  for (const loop::Hyperparameter& row : pretraining::pretraining_task().recipes().front().hyperparameters)
    if (row.name == name) return row;
  broken_invariant("a hyperparameter of pretraining", __FILE__, __LINE__, name);
}

// What the command line says is a trial of the task, whose weights go to a file of any name.
struct Asked {
  loop::TrialFile trial;
  fs::path output;
  bool json = false;
};

void check(const Asked& asked) {
  const Json& given = asked.trial.parameters;
  if (given.at("images") < given.at("batch_size"))
    throw Error(ExitCode::kUsage, "--images is " + given.at("images").dump(),
                "at least one batch: " + given.at("batch_size").dump());
  const std::string& precision = asked.trial.precision;
  if (precision != "auto" && precision != "fp32" && precision != "bf16")
    throw Error(ExitCode::kUsage, "--precision is \"" + precision + "\"", "auto, fp32 or bf16");
  detection::detector_model(loop::text_key(asked.trial.trainer, "model", ""));
  if (fs::exists(asked.output))
    throw Error(ExitCode::kConflict, asked.output.string() + " exists already",
                "name another file, or remove this one");
}

bool holds_checkpoints(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().filename().string().starts_with("at-") && entry.is_directory(error)) return true;
  return false;
}

std::optional<Asked> asked_for(const Arguments& arguments, Console& console) {
  Asked asked;
  loop::TrialFile& trial = asked.trial;
  const auto number = [](const char* name, const std::string& value, const char* help) {
    return Option{name, "N", help, false, false, value};
  };
  Options declared(command_line(), "pretrain");
  declared.add({"model", "NAME", "the detector whose backbone to train, of `tune-train describe`", true})
      .add({"output", "FILE", "the .safetensors file to write", true});
  for (const Row& row : kRows)
    declared.add(number(row.option, hyperparameter(row.hyperparameter).default_value.dump(), row.help));
  const auto options =
      declared.add(number("seed", "1", "of the classes, the images and the weights"))
          .add(number("threads", "0", "0: all cores"))
          .add({"precision", "NAME", "fp32, bf16, or auto: the faster one", false, false, trial.precision})
          .parse(arguments, console);
  if (!options) return std::nullopt;
  const auto integer = [&](const char* name, std::int64_t least, std::int64_t most) {
    return options->integer(name, least, most).value();
  };
  for (const Row& row : kRows) {
    const loop::Hyperparameter& range = hyperparameter(row.hyperparameter);
    // Without an epoch nothing would be learned.
    const auto least = std::max<std::int64_t>(1, static_cast<std::int64_t>(range.min));
    trial.parameters[row.hyperparameter] = integer(row.option, least, static_cast<std::int64_t>(range.max));
  }
  trial.seed = static_cast<std::uint64_t>(integer("seed", 0, std::numeric_limits<std::int64_t>::max()));
  trial.threads = loop::threads_to_use(static_cast<int>(integer("threads", 0, 4096)));
  trial.trainer = {{"task", pretraining::pretraining_task().name}, {"model", options->text("model")}};
  trial.precision = options->text("precision");
  asked.output = options->text("output");
  asked.json = options->has("json");
  check(asked);
  // Beside the file, so that the same command finds them.
  trial.checkpoint_dir = asked.output.string() + ".checkpoints";
  trial.output_dir = trial.checkpoint_dir / "output";
  trial.objective = {"validation:cross_entropy", /*maximize=*/false};
  if (holds_checkpoints(trial.checkpoint_dir)) trial.resume_from = trial.checkpoint_dir;
  return asked;
}

void print_result(const Asked& asked, const loop::Compute& compute, double seconds, Console& console) {
  std::ostream& out = console.out;
  const weights::SafetensorsContent written = weights::read_safetensors(asked.output);
  const Json made = Json::parse(written.metadata.at("pretraining"));
  if (!asked.json) {
    out << "wrote " << asked.output.string() << ": " << written.tensors.size()
        << " tensors of the backbone of " << made["model"].get<std::string>() << ", which tells "
        << made["classes"] << " classes apart in "
        << static_cast<int>(100 * made["accuracy"].get<double>() + 0.5) << " % of new images\n";
    return;
  }
  OrderedJson json{{"schema", 1}, {"file", asked.output.string()}, {"tensors", written.tensors.size()}};
  for (const char* key : {"model", "classes", "size", "images", "seed", "accuracy"}) json[key] = made[key];
  json["device"] = compute.device.str();
  json["threads"] = compute.threads;
  json["precision"] = loop::precision_name(compute.precision);
  json["seconds"] = seconds;
  print_ordered(json, console);
}

}  // namespace

int run_pretrain(const Arguments& arguments, Console& console) {
  const std::optional<Asked> asked = asked_for(arguments, console);
  if (!asked) return 0;
  const auto begin = std::chrono::steady_clock::now();
  loop::catch_stop_signals();
  const loop::TrialFile& trial = asked->trial;
  // Before anything is computed: whether the folder can be written.
  const loop::CheckpointStore checked(trial.checkpoint_dir);
  loop::Compute compute = loop::set_up_compute(trial.threads, torch::cuda::is_available());
  std::ostringstream unseen;
  const ExitCode code =
      train(pretraining::pretraining_task(), trial, compute, asked->json ? unseen : console.out, console);
  if (code != ExitCode::kOk) {
    console.err << "the same command goes on from there" << std::endl;
    return static_cast<int>(code);
  }
  fs::rename(trial.output_dir / weights::kWeightsFile, asked->output);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  print_result(*asked, compute, taken.count(), console);
  fs::remove_all(trial.checkpoint_dir);
  return 0;
}

}  // namespace tune::trainer::cli

// `tune-train pretrain`: a starter backbone from generated images.
#include <chrono>
#include <filesystem>
#include <ostream>
#include <sstream>

#include "trainer/cli/choose_precision.h"
#include "trainer/cli/commands.h"
#include "trainer/cli/options.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/loop/training_loop.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/tasks/pretraining/pretraining_task.h"
#include "trainer/weights/safetensors.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace fs = std::filesystem;

namespace tune::trainer::cli {
namespace {

constexpr const char* kUnit = "images";

struct Asked {
  pretraining::PretrainingSettings settings;
  fs::path output;
  std::string precision = "auto";
  int threads = 0;
  bool json = false;
};

void check_range(const char* option, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value < least || value > most)
    throw Error(ExitCode::kUsage, std::string(option) + " is " + std::to_string(value),
                std::to_string(least) + " to " + std::to_string(most));
}

void check(const Asked& asked) {
  const pretraining::PretrainingSettings& settings = asked.settings;
  check_range("--classes", settings.classes, 2, 100'000);
  check_range("--size", settings.size, 32, 512);
  check_range("--epochs", settings.epochs, 1, 10'000);
  check_range("--batch", settings.batch_size, 2, 4096);
  check_range("--images", settings.images, settings.batch_size, 100'000'000);
  if (asked.precision != "auto" && asked.precision != "fp32" && asked.precision != "bf16")
    throw Error(ExitCode::kUsage, "--precision is \"" + asked.precision + "\"", "auto, fp32 or bf16");
  detection::detector_model(settings.model);
  if (fs::exists(asked.output))
    throw Error(ExitCode::kConflict, asked.output.string() + " exists already",
                "name another file, or remove this one");
}

std::optional<Asked> asked_for(const std::vector<std::string>& arguments, Console& console) {
  namespace po = boost::program_options;
  Asked asked;
  pretraining::PretrainingSettings& settings = asked.settings;
  std::string output;
  po::options_description options("options");
  const auto number = [](auto& target) { return po::value(&target)->default_value(target)->value_name("N"); };
  options.add_options()("model", po::value(&settings.model)->required()->value_name("NAME"),
                        "the detector whose backbone to train, of `tune-train describe`")(
      "output", po::value(&output)->required()->value_name("FILE"), "the .safetensors file to write")(
      "epochs", number(settings.epochs), "how often to draw --images new images, and to keep a checkpoint")(
      "images", number(settings.images), "images in an epoch")("classes", number(settings.classes),
                                                               "how many kinds of images to tell apart")(
      "size", number(settings.size), "pixels on a side of the images")(
      "batch", number(settings.batch_size), "images in a step")("seed", number(settings.seed),
                                                                "of the classes, the images and the weights")(
      "threads", number(asked.threads), "0: all cores")(
      "precision", po::value(&asked.precision)->default_value(asked.precision)->value_name("NAME"),
      "fp32, bf16, or auto: the faster one")("json", "one JSON object");
  const auto values = parse_options("pretrain", options, arguments, console);
  if (!values) return std::nullopt;
  asked.json = values->contains("json");
  asked.output = output;
  asked.threads = loop::threads_to_use(asked.threads);
  check(asked);
  settings.file_name = asked.output.filename();
  return asked;
}

bool holds_checkpoints(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_directory() && entry.path().filename().string().starts_with("at-")) return true;
  return false;
}

// Beside the file, so that the same command finds them.
loop::LoopSettings loop_settings(const Asked& asked) {
  loop::LoopSettings settings;
  settings.seed = asked.settings.seed;
  settings.unit = kUnit;
  settings.objective = {"validation:cross_entropy", /*maximize=*/false};
  settings.checkpoint_dir = asked.output.string() + ".checkpoints";
  settings.output_dir = asked.output.has_parent_path() ? asked.output.parent_path() : fs::path(".");
  settings.resume = holds_checkpoints(settings.checkpoint_dir);
  settings.interrupted = loop::stop_requested;
  return settings;
}

void print_result(const Asked& asked, const loop::Compute& compute, double seconds, std::ostream& out) {
  const weights::SafetensorsContent written = weights::read_safetensors(asked.output);
  const Json made = Json::parse(written.metadata.at("pretraining"));
  if (!asked.json) {
    out << "wrote " << asked.output.string() << ": " << written.tensors.size()
        << " tensors of the backbone of " << asked.settings.model << ", which tells " << made["classes"]
        << " classes apart in " << static_cast<int>(100 * made["accuracy"].get<double>() + 0.5)
        << " % of new images\n";
    return;
  }
  OrderedJson json{{"schema", 1}, {"file", asked.output.string()}, {"tensors", written.tensors.size()}};
  for (const char* key : {"model", "classes", "size", "images", "seed", "accuracy"}) json[key] = made[key];
  json["device"] = compute.device.str();
  json["threads"] = compute.threads;
  json["precision"] = loop::precision_name(compute.precision);
  json["seconds"] = seconds;
  print_json(json, out);
}

}  // namespace

int run_pretrain(const std::vector<std::string>& arguments, Console& console) {
  const std::optional<Asked> asked = asked_for(arguments, console);
  if (!asked) return 0;
  const auto begin = std::chrono::steady_clock::now();
  loop::catch_stop_signals();
  loop::LoopSettings settings = loop_settings(*asked);
  // Before anything is computed: whether the folder can be written.
  loop::CheckpointStore(settings.checkpoint_dir);
  loop::Compute& compute = settings.compute;
  compute = loop::set_up_compute(asked->threads, torch::cuda::is_available());
  const auto make = [&] { return std::make_unique<pretraining::PretrainingTask>(asked->settings, compute); };
  compute.precision = choose_precision(
      asked->precision, settings.resume ? std::optional(settings.checkpoint_dir) : std::nullopt, make,
      compute, kUnit, console.err);
  const auto task = make();
  std::ostringstream unseen;
  loop::TrainingLoop training(*task, settings, asked->json ? unseen : console.out, console.err,
                              console.err_is_terminal);
  const ExitCode code = training.run();
  if (code != ExitCode::kOk) {
    console.err << "the same command goes on from there" << std::endl;
    return static_cast<int>(code);
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  print_result(*asked, compute, taken.count(), console.out);
  fs::remove_all(settings.checkpoint_dir);
  return 0;
}

}  // namespace tune::trainer::cli

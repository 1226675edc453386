// `tune-train pretrain`: a starter backbone from generated images.
#include <chrono>
#include <filesystem>
#include <ostream>
#include <sstream>

#include "trainer/cli/choose_precision.h"
#include "trainer/cli/commands.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/loop/training_loop.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/tasks/pretraining/pretraining.h"
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

void check(const Asked& asked) {
  const pretraining::PretrainingSettings& settings = asked.settings;
  if (settings.images < settings.batch_size)
    throw Error(ExitCode::kUsage, "--images is " + std::to_string(settings.images),
                "at least one batch: " + std::to_string(settings.batch_size));
  if (asked.precision != "auto" && asked.precision != "fp32" && asked.precision != "bf16")
    throw Error(ExitCode::kUsage, "--precision is \"" + asked.precision + "\"", "auto, fp32 or bf16");
  detection::detector_model(settings.model);
  if (fs::exists(asked.output))
    throw Error(ExitCode::kConflict, asked.output.string() + " exists already",
                "name another file, or remove this one");
}

std::optional<Asked> asked_for(const Arguments& arguments, Console& console) {
  Asked asked;
  pretraining::PretrainingSettings& settings = asked.settings;
  const auto number = [](const char* name, auto value, const char* help) {
    return Option{name, "N", help, false, false, std::to_string(value)};
  };
  const auto options =
      Options(command_line(), "pretrain")
          .add({"model", "NAME", "the detector whose backbone to train, of `tune-train describe`", true})
          .add({"output", "FILE", "the .safetensors file to write", true})
          .add(number("epochs", settings.epochs,
                      "how often to draw --images new images, and to keep a checkpoint"))
          .add(number("images", settings.images, "images in an epoch"))
          .add(number("classes", settings.classes, "how many kinds of images to tell apart"))
          .add(number("size", settings.size, "pixels on a side of the images"))
          .add(number("batch", settings.batch_size, "images in a step"))
          .add(number("seed", settings.seed, "of the classes, the images and the weights"))
          .add(number("threads", asked.threads, "0: all cores"))
          .add({"precision", "NAME", "fp32, bf16, or auto: the faster one", false, false, asked.precision})
          .parse(arguments, console);
  if (!options) return std::nullopt;
  const auto take = [&](const char* name, auto& target, std::int64_t least, std::int64_t most) {
    target = static_cast<std::remove_reference_t<decltype(target)>>(*options->integer(name, least, most));
  };
  take("epochs", settings.epochs, 1, 10'000);
  take("images", settings.images, 1, 100'000'000);
  take("classes", settings.classes, 2, 100'000);
  take("size", settings.size, 32, 512);
  take("batch", settings.batch_size, 2, 4096);
  take("seed", settings.seed, 0, std::numeric_limits<std::int64_t>::max());
  take("threads", asked.threads, 0, 4096);
  settings.model = options->text("model");
  asked.precision = options->text("precision");
  asked.output = options->text("output");
  asked.json = options->has("json");
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

void print_result(const Asked& asked, const loop::Compute& compute, double seconds, Console& console) {
  std::ostream& out = console.out;
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
  print_ordered(json, console);
}

}  // namespace

int run_pretrain(const Arguments& arguments, Console& console) {
  const std::optional<Asked> asked = asked_for(arguments, console);
  if (!asked) return 0;
  const auto begin = std::chrono::steady_clock::now();
  loop::catch_stop_signals();
  loop::LoopSettings settings = loop_settings(*asked);
  // Before anything is computed: whether the folder can be written.
  loop::CheckpointStore(settings.checkpoint_dir);
  loop::Compute& compute = settings.compute;
  compute = loop::set_up_compute(asked->threads, torch::cuda::is_available());
  const auto make = [&] { return std::make_unique<pretraining::Pretraining>(asked->settings, compute); };
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
  print_result(*asked, compute, taken.count(), console);
  fs::remove_all(settings.checkpoint_dir);
  return 0;
}

}  // namespace tune::trainer::cli

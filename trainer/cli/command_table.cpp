// The table of tune-train's commands, and what else its command line says.
#include <new>
#include <ostream>
#include <string_view>

#include "trainer/cli/commands.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::cli {
namespace {

constexpr const char* kUsage =
    "tune-train --trial FILE\n"
    "       tune-train COMMAND [arguments] [options]";

constexpr const char* kNotes =
    "Many print JSON with --json; errors are\n"
    "JSON on stderr then. --version prints the program's version and LibTorch's.\n"
    "\nExit codes: 0 ok, 2 usage, 3 bad trial file, 5 not found, 6 conflict, 7 environment, 65 bad data,\n"
    "70 internal error, 75 out of memory, 76 non-finite loss, 130 interrupted (a checkpoint is saved).\n"
    "\nExample:\n"
    "  tune-train describe\n"
    "  tune-train audit --data data/steel\n";

void print_version(bool as_json, std::ostream& out) {
  if (as_json)
    out << Json{{"schema", 1},
                {"program", "tune-train"},
                {"version", TUNE_VERSION},
                {"libtorch", compat::libtorch_version()}}
               .dump()
        << '\n';
  else
    out << "tune-train " << TUNE_VERSION << " (LibTorch " << compat::libtorch_version() << ")\n";
}

Error out_of_memory(const std::string& what) {
  return {ExitCode::kOutOfMemory, "out of memory: " + what, "a smaller batch_size, or a smaller model"};
}

// What LibTorch's exceptions mean, and those of what it is made of.
std::optional<Error> translate(const std::exception& error) {
  if (const auto* torch = dynamic_cast<const c10::Error*>(&error)) {
    const std::string what = torch->what_without_backtrace();
    // The CPU allocator has no exception type of its own.
    if (dynamic_cast<const c10::OutOfMemoryError*>(torch) != nullptr ||
        what.find("DefaultCPUAllocator: can't allocate memory") != std::string::npos)
      return out_of_memory(what);
    return Error(ExitCode::kInternal, what);
  }
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return out_of_memory(error.what());
  // How oneDNN says that it found no memory for a convolution; its shapes were checked before.
  if (std::string_view(error.what()) == "could not create a primitive") return out_of_memory(error.what());
  return std::nullopt;
}

}  // namespace

const tune::cli::CommandLine& command_line() {
  // A row is added together with its trainer/cli/NAME_command.cpp, or that of a task's Offer in
  // task_command.cpp.
  static const tune::cli::CommandLine line{
      "tune-train",
      "trains one trial of a search, and uses what came out of it.",
      kUsage,
      kNotes,
      {
          {"train", "--trial FILE", "train one trial; everything it needs is in that file",
           "tune-train --trial trial.json", run_trial},
          {"evaluate", "evaluate --model MODEL --data DATA [--split JSON] [--part PART] [--json]",
           "measure a model on a data set",
           "tune-train evaluate --model tune-store/models/steel-detector/current --data data/test",
           run_evaluate},
          {"predict",
           "predict --model MODEL --data DATA [--split JSON] [--part PART] [--output FILE] [--pictures "
           "FOLDER] [--json]",
           "write what a model finds or answers, or draw it",
           "tune-train predict --model tune-store/models/steel-detector/current --data images/ --output "
           "detections.json",
           run_predict},
          {"score",
           "score --ground-truth DATA --detections FILE [--detections FILE ...] [--resamples N] [--json]",
           "score anybody's predictions",
           "tune-train score --ground-truth truth.json --detections detections.json", run_score},
          {"inspect-weights", "inspect-weights FILE [--model NAME] [--json]",
           "names and shapes in a weights file, and what a model would take of it",
           "tune-train inspect-weights resnet18.pth --model ssd224-resnet18", run_inspect_weights},
          {"tokenize",
           "tokenize FILE --model FOLDER [--max-length N] [--bare] [--ids | --tokens | --decode] [--json]",
           "count the tokens that a model's tokenizer makes of texts, or print them",
           "tune-train tokenize reviews.txt --model models/minilm", run_tokenize},
          {"audit",
           "audit --data DATA [--against DATA] [--split JSON] [--part PART] [--output FOLDER] [--fail-on "
           "FINDINGS] [--json]",
           "find equal images, overlapping crops, bad annotations; count classes",
           "tune-train audit --data data/steel --output audit", run_audit},
          {"advise",
           "advise --data DATA [--model NAME] [--weights FILE] [--page FILE] [--seconds S] [--json]",
           "look at labelled images for under a minute: what to train, and what to search",
           "tune-train advise --data data/classes --weights mobilenet_v2.safetensors --page labels.html",
           run_advise},
          {"export", "export --model MODEL --output PATH [--type TYPE] [--base BASE] [--json]",
           "write a language model for other programs, its adapter merged in",
           "tune-train export --model tune-store/models/answers/current --output answers.gguf --type q8_0",
           run_export},
          {"serve",
           "serve --model MODEL [--adapter NAME=FOLDER ...] [--name NAME] [--addr HOST] [--port PORT] "
           "[--token-file FILE] [--max-body-mb MB] [--queue N] [--batch-wait-ms MS] [--threads N]",
           "answer requests over HTTP: images, texts, prompts",
           "tune-train serve --model tune-store/models/steel-detector/current --port 8123 --token-file token",
           run_serve},
          {"synthesize", "synthesize --output FOLDER [--task TASK] [--images N] [--size PIXELS] [--seed N]",
           "draw a data set of steel-surface defects",
           "tune-train synthesize --output data/steel --images 300 --size 128", run_synthesize},
          {"pretrain",
           "pretrain --model NAME --output FILE [--epochs N] [--images N] [--classes N] [--seed N] [--json]",
           "make a starter backbone from generated images, where no weights are to be had",
           "tune-train pretrain --model ssd128-resnet18-half --output starter.safetensors", run_pretrain},
          {"probe", "probe --trial FILE [--seconds S] [--operators N] [--json]",
           "time a few steps of training in fp32 and bf16", "tune-train probe --trial trial.json --json",
           run_probe},
          {"estimate", "estimate --trial FILE [--seconds S] [--json]",
           "what a trial will take of memory, storage and time, before it runs",
           "tune-train estimate --trial trial.json\ntune-train estimate --trial trial.json --json",
           run_estimate},
          {"models", "models [--task TASK] [--json]",
           "models, the weights for them on this machine, and the form of the data",
           "tune-train models\ntune-train models --task detection --json", run_models},
          {"describe", "describe [--libtorch] [--json]",
           "tasks, models, recipes, hyperparameters with defaults and ranges, metrics",
           "tune-train describe --json", run_describe},
      },
      {},
      "train",
      print_version,
      "this is a bug in tune-train",
      translate};
  return line;
}

}  // namespace tune::trainer::cli

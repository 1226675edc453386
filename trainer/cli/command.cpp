#include "trainer/cli/command.h"

#include <algorithm>
#include <new>
#include <ostream>

#include "trainer/cli/commands.h"
#include "trainer/torch_compat.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::cli {
namespace {

void print_help(std::ostream& out) {
  out << "tune-train " << TUNE_VERSION << ": trains one trial of a search, and uses what came out of it\n\n";
  for (const Command& command : command_table())
    out << "  tune-train " << command.synopsis << "\n      " << command.summary << "\n";
  out << "\n  tune-train COMMAND --help shows a command's options and an example.\n"
         "\nexit codes: 0 ok, 2 usage, 3 bad trial file, 5 not found, 6 conflict, 7 environment, 65 bad "
         "data,\n"
         "            70 internal, 75 out of memory, 76 non-finite loss, 130 interrupted (a checkpoint is "
         "saved)\n";
}

int report(const Error& error, bool as_json, std::ostream& err) {
  if (as_json) {
    const OrderedJson json{
        {"schema", 1},
        {"error", {{"code", code_name(error.code())}, {"message", error.what()}, {"hint", error.hint()}}}};
    print_json(json, err, /*indent=*/-1);
  } else {
    err << "error: " << visible_text(error.what(), LineBreaks::kKeep) << '\n';
    if (!error.hint().empty()) err << "  " << visible_text(error.hint(), LineBreaks::kKeep) << '\n';
    err << std::flush;
  }
  return static_cast<int>(error.code());
}

int run_command(const Command& command, const std::vector<std::string>& arguments, Console& console) {
  const bool as_json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  const auto out_of_memory = [&](const std::string& what) {
    return report(
        Error(ExitCode::kOutOfMemory, "out of memory: " + what, "a smaller batch_size, or a smaller model"),
        as_json, console.err);
  };
  try {
    const int code = command.run(arguments, console);
    console.out.flush();
    return code;
  } catch (const Error& error) {
    return report(error, as_json, console.err);
  } catch (const c10::OutOfMemoryError& error) {
    return out_of_memory(error.what_without_backtrace());
  } catch (const std::bad_alloc& error) {
    return out_of_memory(error.what());
  } catch (const c10::Error& error) {
    // The CPU allocator has no exception type of its own.
    const std::string what = error.what_without_backtrace();
    if (what.find("DefaultCPUAllocator: can't allocate memory") != std::string::npos)
      return out_of_memory(what);
    return report(Error(ExitCode::kInternal, what), as_json, console.err);
  } catch (const std::exception& error) {
    // How oneDNN says that it found no memory for a convolution; its shapes were checked before.
    if (std::string_view(error.what()) == "could not create a primitive") return out_of_memory(error.what());
    return report(Error(ExitCode::kInternal, error.what()), as_json, console.err);
  }
}

int unknown_command(const std::string& name, Console& console) {
  std::vector<std::string> names;
  for (const Command& command : command_table()) names.emplace_back(command.name);
  return report(
      Error(ExitCode::kUsage, "unknown command \"" + name + "\"", name_hint(name, names, "commands")),
      /*as_json=*/false, console.err);
}

}  // namespace

const std::vector<Command>& command_table() {
  static const std::vector<Command> table{
      {"--trial", "--trial trial.json", "train one trial; everything it needs is in that file",
       "tune-train --trial trial.json", run_trial},
      {"evaluate", "evaluate --model MODEL --data DATA [--split JSON] [--part PART] [--json]",
       "measure a model on a data set, per class",
       "tune-train evaluate --model tune-store/models/steel-detector/current --data data/test", run_evaluate},
      {"predict",
       "predict --model MODEL --data DATA [--split JSON] [--part PART] [--output FILE] [--pictures FOLDER] "
       "[--json]",
       "write detections in COCO's results format, or draw them",
       "tune-train predict --model tune-store/models/steel-detector/current --data images/ --output "
       "detections.json",
       run_predict},
      {"score",
       "score --ground-truth DATA --detections FILE [--detections FILE ...] [--resamples N] [--json]",
       "COCO's twelve numbers and VOC's two for anybody's detections; with --json each class and the "
       "confusion",
       "tune-train score --ground-truth truth.json --detections detections.json", run_score},
      {"inspect-weights", "inspect-weights FILE [--model NAME] [--json]",
       "names and shapes in a weights file, and what a model would take of it",
       "tune-train inspect-weights resnet18.pth --model ssd224-resnet18", run_inspect_weights},
      {"audit",
       "audit --data DATA [--against DATA] [--split JSON] [--part PART] [--output FOLDER] [--fail-on "
       "FINDINGS] "
       "[--json]",
       "find equal images, overlapping crops, bad boxes; count classes",
       "tune-train audit --data data/steel --output audit", run_audit},
      {"synthesize", "synthesize --output FOLDER [--images N] [--size PIXELS] [--seed N]",
       "draw a data set of steel-surface defects",
       "tune-train synthesize --output data/steel --images 300 --size 128", run_synthesize},
      {"pretrain",
       "pretrain --model NAME --output FILE [--epochs N] [--images N] [--classes N] [--seed N] [--json]",
       "make a starter backbone from generated images, where no weights are to be had",
       "tune-train pretrain --model ssd128-resnet18-half --output starter.safetensors", run_pretrain},
      {"probe", "probe --trial trial.json [--json]", "time a few steps of training in fp32 and bf16",
       "tune-train probe --trial trial.json --json", run_probe},
      {"describe", "describe [--json]",
       "tasks, models, recipes, hyperparameters with defaults and ranges, metrics",
       "tune-train describe --json", run_describe},
  };
  return table;
}

void print_json(const OrderedJson& json, std::ostream& out, int indent) {
  out << json.dump(indent, ' ', false, OrderedJson::error_handler_t::replace) << std::endl;
}

int run_cli(int argc, const char* const* argv, Console& console) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string name = arguments.empty() ? "" : arguments.front();
  if (arguments.empty() || name == "--help" || name == "-h" || name == "help") {
    print_help(arguments.empty() ? console.err : console.out);
    return static_cast<int>(arguments.empty() ? ExitCode::kUsage : ExitCode::kOk);
  }
  if (name == "--version") {
    console.out << "tune-train " << TUNE_VERSION << " (LibTorch " << compat::libtorch_version() << ")\n";
    return 0;
  }
  for (const Command& command : command_table()) {
    // `--trial FILE` is an option and the name of its command at once.
    const bool is_option = command.name.starts_with("--");
    if (name != command.name && !(is_option && name.starts_with(std::string(command.name) + "="))) continue;
    if (!is_option) arguments.erase(arguments.begin());
    return run_command(command, arguments, console);
  }
  return unknown_command(name, console);
}

}  // namespace tune::trainer::cli

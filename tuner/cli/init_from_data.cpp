#include "tuner/cli/init_from_data.h"

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <ostream>

#include "tuner/cli/checked_spec.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/import/study_name.h"
#include "tuner/metrics/regex_objection.h"
#include "tuner/os/atomic_file.h"
#include "tuner/spec/spec_text.h"

namespace tune::cli {
namespace {

// Of tune-train advise, by the same names.
struct DataOption {
  const char *name, *placeholder, *help;
};
constexpr DataOption kDataOptions[] = {
    {"model", "NAME", "of data: the network; without it one that suits the weights or the machine"},
    {"weights", "FILE", "of data: weights to start from, which are measured on the data"},
    {"task", "TASK", "of data: what is trained; by default the first task that gives advice"},
    {"classes-from", "PLACE", "of data: where the class of an image is written, folder or file_name"}};

std::vector<std::string> arguments_of(const std::string& data, const Parsed& options) {
  std::vector<std::string> arguments{"--data=" + data};
  for (const DataOption& option : kDataOptions)
    if (options.has(option.name))
      arguments.push_back("--" + std::string(option.name) + "=" + options.text(option.name));
  return arguments;
}

// The advised spec with a name, under which its best model is promoted too, and with its paths as they are
// seen from the folder that it lies in.
OrderedJson spec_for(const OrderedJson& advice, const std::string& data, const std::string& output) {
  namespace fs = std::filesystem;
  const fs::path folder = output.empty() ? fs::current_path() : fs::absolute(output).parent_path();
  const std::string name = amt::study_name_of(data, "images");
  OrderedJson spec{{"study", name}};
  spec.update(advice.at("spec"));
  spec["promote"] = {{"model", name}};
  for (const char* key : {"data", "weights", "images"})
    if (const auto path = spec.at("trainer").find(key); path != spec.at("trainer").end())
      *path = fs::proximate(fs::absolute(path->get<std::string>()), folder).string();
  return spec;
}

void print_lines(const OrderedJson& advice, const std::string& output, std::ostream& out) {
  const auto text = [](const OrderedJson& json, const char* key) {
    return visible_text(json.at(key).get<std::string>());
  };
  const OrderedJson &decided = advice.at("advice"), &budget = decided.at("budget");
  for (const OrderedJson& limit : advice.at("limits"))
    out << "note: " << visible_text(limit.get<std::string>()) << '\n';
  out << "model " << text(decided.at("model"), "value") << ": " << text(decided.at("model"), "rule")
      << "\nstrategy " << text(decided.at("strategy"), "value") << ": "
      << text(decided.at("strategy"), "rule") << "\n  " << text(decided.at("strategy"), "reason") << '\n';
  for (const OrderedJson& remark : decided.at("remarks"))
    out << "  " << visible_text(remark.get<std::string>()) << '\n';
  out << "budget: " << budget.at("trials") << " trials of " << budget.at("epochs") << " epochs, about "
      << std::fixed << std::setprecision(0) << std::max(1.0, budget.at("minutes").get<double>())
      << " minutes one after the other\n";
  if (advice.at("weights").is_null())
    for (const OrderedJson& source : advice.at("other_weights"))
      out << "weights to be had " << visible_text(source.get<std::string>()) << '\n';
  if (output.empty()) return;
  const std::string spec = visible_text(output);
  out << spec << " is written: `tune check " << spec << "` looks at it, `tune estimate " << spec
      << "` says how long it takes, `tune --spec " << spec << "` runs it\n";
}

}  // namespace

void add_data_options(Options& options) {
  for (const DataOption& option : kDataOptions) options.value(option.name, option.placeholder, option.help);
}

void refuse_data_options(const Parsed& options) {
  for (const DataOption& option : kDataOptions)
    if (options.has(option.name))
      throw Error(ExitCode::kUsage, "--" + std::string(option.name) + " is for data, not for a script",
                  "leave it out, or name a folder of labelled images in place of --from-script");
}

int init_from_data(const std::string& data, const std::string& output, const Parsed& options,
                   Console& console) {
  const OrderedJson advice =
      engine::trainer_advice(arguments_of(data, options), [&](const std::string& line) {
        console.err << visible_text(line) << '\n' << std::flush;
      });
  const OrderedJson spec = spec_for(advice, data, output);
  const std::string text = spec_text(spec);
  try {
    parse_spec(text, "the spec", std::filesystem::current_path(), SpecUse::kRun, metrics::regex_objection);
  } catch (const SpecError& error) {
    broken_invariant("an advised spec is sound", __FILE__, __LINE__, error.what());
  }
  if (!output.empty()) write_file_atomically(output, text);
  if (options.has("json")) {
    print_ordered({{"schema", 1},
                   {"data", data},
                   {"file", output.empty() ? OrderedJson() : OrderedJson(output)},
                   {"spec", spec},
                   {"advice", advice}},
                  console);
    return 0;
  }
  print_lines(advice, output, console.err);
  if (output.empty()) console.out << text;
  return 0;
}

}  // namespace tune::cli

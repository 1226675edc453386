// `tune init`: a first spec, for a Python script or for data of the built-in trainer.
#include <map>

#include "tuner/cli/checked_spec.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/init_from_data.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/import/script/script_spec.h"
#include "tuner/metrics/regex_objection.h"
#include "tuner/os/atomic_file.h"
#include "tuner/spec/spec_file.h"
#include "tuner/spec/spec_text.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;
using script::Decision;
using script::Fate;
using script::ScriptSpec;

constexpr std::size_t kMostSource = 8'000'000;  // bytes; no script that people write is that long

// A spec holds nothing else.
bool is_utf8(const std::string& text) {
  try {
    Json(text).dump();
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

std::string source_of(const std::string& file) {
  std::string source = read_spec_file(file);
  if (source.size() <= kMostSource) return source;
  throw Error(ExitCode::kBadSpec, in_quotes(file) + " has " + std::to_string(source.size()) + " bytes",
              "name the Python script that reads the command line");
}

// As the spec is to name it: trials begin in its folder.
std::string path_for(const std::string& script, const std::string& output) {
  const fs::path folder = output.empty() ? fs::current_path() : fs::absolute(output).parent_path();
  return fs::proximate(fs::absolute(script), folder).string();
}

std::map<std::string, std::string> given_values(const Parsed& options) {
  std::map<std::string, std::string> given;
  for (const std::string& entry : options.texts("set")) {
    const std::size_t sign = entry.find('=');
    if (sign == std::string::npos || sign == 0)
      throw Error(ExitCode::kUsage, "--set " + in_quotes(entry) + " is not NAME=VALUE",
                  "for example --set data=data/steel");
    if (!is_utf8(entry))
      throw Error(ExitCode::kUsage, "--set is not UTF-8: " + in_quotes(entry), "a spec holds UTF-8 alone");
    if (!given.emplace(entry.substr(0, sign), entry.substr(sign + 1)).second)
      throw Error(ExitCode::kUsage, "--set gives " + entry.substr(0, sign) + " twice", "leave one out");
  }
  return given;
}

void require_free(const std::string& output, const std::string& script, bool force) {
  std::error_code unknown;
  if (fs::is_directory(output, unknown))
    throw Error(ExitCode::kUsage, in_quotes(output) + " is a folder", "name a file in it");
  if (!script.empty() && fs::equivalent(output, script, unknown))
    throw Error(ExitCode::kUsage, in_quotes(output) + " is the script itself",
                "write the spec to another file");
  if (fs::exists(fs::symlink_status(output, unknown)) && !force)
    throw Error(ExitCode::kConflict, in_quotes(output) + " is there already",
                "choose another name, or write over it with --force");
}

void print_decisions(const ScriptSpec& made, Fate fate, const char* title, std::ostream& out) {
  bool has_title = false;
  for (const Decision& decision : made.decisions) {
    if (decision.fate != fate) continue;
    if (!has_title) out << title << '\n';
    has_title = true;
    out << "  " << visible_text(decision.option) << " (line " << decision.line << ")";
    if (fate == Fate::kSearched && made.spec["parameters"].contains(decision.name))
      out << " = " << shortened(made.spec["parameters"][decision.name].dump(), 90);
    out << ": " << visible_text(decision.reason) << '\n';
  }
}

void print_metrics(const ScriptSpec& made, std::ostream& out) {
  if (!made.metrics.all.empty()) out << "metrics, by what it prints:\n";
  for (std::size_t i = 0; i < made.metrics.all.size(); ++i) {
    const script::GuessedMetric& metric = made.metrics.all[i];
    out << "  " << metric.name << " (line " << metric.line << ")"
        << (metric.regex.empty() ? ", as a TUNE_METRIC line" : " by " + visible_text(metric.regex));
    if (!metric.step.empty()) out << ", steps by " << visible_text(metric.step);
    if (made.metrics.objective == i) out << "; the objective";
    out << '\n';
  }
}

void print_words(const ScriptSpec& made, const std::string& script, const std::string& output,
                 std::ostream& out) {
  out << "from " << visible_text(script) << ", guessed by names:\n";
  print_decisions(made, Fate::kSearched, "searched:", out);
  print_decisions(made, Fate::kFixed, "fixed:", out);
  print_decisions(made, Fate::kFilled, "filled in by tune:", out);
  print_decisions(made, Fate::kLeft, "left as they are:", out);
  print_metrics(made, out);
  if (!made.unread.empty()) out << "not understood:\n";
  for (const script::Unread& each : made.unread)
    out << "  line " << each.line << ", " << visible_text(shortened(each.text, 60)) << ": "
        << visible_text(each.reason) << '\n';
  for (const std::string& remark : made.metrics.remarks) out << "warning: " << visible_text(remark) << '\n';
  const std::string spec = output.empty() ? "the spec" : visible_text(output);
  for (const std::string& lack : made.lacking) out << spec << " is not whole: " << visible_text(lack) << '\n';
  if (!output.empty() && made.lacking.empty())
    out << spec << " is written: look through its ranges, `tune check " << spec
        << "` looks at it, `tune --spec " << spec << "` runs it\n";
}

OrderedJson document_of(const ScriptSpec& made, const std::string& script, const std::string& output) {
  OrderedJson json{{"schema", 1},
                   {"script", script},
                   {"file", output.empty() ? OrderedJson() : OrderedJson(output)},
                   {"whole", made.lacking.empty()},
                   {"lacking", made.lacking},
                   {"spec", made.spec}};
  json["arguments"] = json["metrics"] = json["not_understood"] = OrderedJson::array();
  for (const Decision& each : made.decisions)
    json["arguments"].push_back({{"name", each.name},
                                 {"option", each.option},
                                 {"line", each.line},
                                 {"becomes", to_string(each.fate)},
                                 {"reason", each.reason}});
  for (std::size_t i = 0; i < made.metrics.all.size(); ++i)
    json["metrics"].push_back({{"name", made.metrics.all[i].name},
                               {"line", made.metrics.all[i].line},
                               {"objective", made.metrics.objective == i}});
  for (const script::Unread& each : made.unread)
    json["not_understood"].push_back({{"text", each.text}, {"line", each.line}, {"reason", each.reason}});
  json["warnings"] = made.metrics.remarks;
  return json;
}

// What was written passes the check of specs; else this program is wrong.
void require_sound(const ScriptSpec& made) {
  if (!made.lacking.empty()) return;
  try {
    parse_spec(spec_text(made.spec), "the spec", fs::current_path(), SpecUse::kRun, metrics::regex_objection);
  } catch (const SpecError& error) {
    broken_invariant("a guessed spec is sound", __FILE__, __LINE__, error.what());
  }
}

}  // namespace

int init_command(const Arguments& arguments, Console& console) {
  Options declared(command_line(), "init");
  declared.positional("DATA", "labelled images, which tune-train looks at for a minute", /*required=*/false)
      .add({"from-script", "FILE", "a Python script that declares its arguments by argparse", false})
      .add({"set", "NAME=VALUE", "of a script: the value of an argument in every trial", false, true});
  add_data_options(declared);
  const auto options = declared.value("output", "FILE", "write the spec there, in place of stdout")
                           .flag("force", "write over what is there")
                           .json("the spec, and what became of each argument, or the advice behind it")
                           .parse(arguments, console);
  if (!options) return 0;
  const std::string file = options->text("from-script"), output = options->text("output");
  if (options->has("DATA") == options->has("from-script"))
    throw Error(ExitCode::kUsage, "init takes either data or --from-script",
                "`tune init data/classes --output search.json`, or `tune init --from-script train.py`");
  if (!output.empty()) require_free(output, file, options->has("force"));
  if (options->has("DATA")) {
    if (options->has("set"))
      throw Error(ExitCode::kUsage, "--set is for a script, not for data", "leave it out");
    return init_from_data(options->text("DATA"), output, *options, console);
  }
  refuse_data_options(*options);
  const std::string source = source_of(file);
  if (!is_utf8(source))
    throw Error(ExitCode::kBadSpec, in_quotes(file) + " is not UTF-8", "save it as UTF-8");
  const ScriptSpec made = script::spec_of_script(source, path_for(file, output), given_values(*options));
  require_sound(made);
  if (!output.empty()) write_file_atomically(output, spec_text(made.spec));
  if (options->has("json")) {
    print_ordered(document_of(made, file, output), console);
    return 0;
  }
  print_words(made, file, output, console.err);
  if (output.empty()) console.out << spec_text(made.spec);
  return 0;
}

}  // namespace tune::cli

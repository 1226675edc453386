// `tune import FORMAT FILE`: a tuning job of SageMaker becomes a spec; a study of Optuna an earlier study.
#include <algorithm>
#include <iostream>
#include <iterator>
#include <list>
#include <map>

#include "tuner/cli/checked_spec.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/import_optuna.h"
#include "tuner/cli/number_options.h"
#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/import/amt_import.h"
#include "tuner/import/training_command.h"
#include "tuner/metrics/regex_objection.h"
#include "tuner/os/atomic_file.h"
#include "tuner/spec/spec_file.h"
#include "tuner/spec/spec_text.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;
using amt::ImportedSearch;

constexpr std::size_t kMostRequest = 4'000'000;  // bytes; ten definitions as long as SageMaker takes them

std::string request_text(const std::string& file) {
  const std::string text =
      file == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : read_spec_file(file);
  if (text.size() <= kMostRequest) return text;
  throw Error(ExitCode::kBadSpec,
              in_quotes(file) + " has " + std::to_string(text.size()) + " bytes, and no request is that long",
              "name the JSON of one CreateHyperParameterTuningJob request");
}

// "FILE", or with several definitions "FILE-DEFINITION" before its extension.
fs::path output_of(const fs::path& output, const ImportedSearch& search, std::size_t count) {
  if (count == 1) return output;
  fs::path named = output;
  return named.replace_filename(output.stem().string() + "-" + search.definition +
                                output.extension().string());
}

// "/a/b/Ranges/0" -> "Ranges[0]", "/fixed/epochs" -> "epochs".
std::string field_of(const std::string& pointer) {
  if (pointer.starts_with("--")) return pointer;
  const std::size_t slash = pointer.rfind('/');
  if (slash == std::string::npos) return "the request";
  const std::string last = pointer.substr(slash + 1);
  const bool is_index = !last.empty() && std::all_of(last.begin(), last.end(), is_digit);
  return is_index ? field_of(pointer.substr(0, slash)) + "[" + last + "]" : last;
}

std::string with_line(const std::string& pointer, int line) {
  return field_of(pointer) + (line > 0 ? " (line " + std::to_string(line) + ")" : "");
}

// "/parameters/lr" with its value -> "parameters.lr = {...}". What may be secret is not shown.
std::string key_text(const amt::Mapped& mapped) {
  constexpr std::size_t kShown = 60;
  std::string key = mapped.to.substr(1);
  std::replace(key.begin(), key.end(), '/', '.');
  if (mapped.to.starts_with("/environment/") || mapped.to == "/command") return key;
  return key + " = " +
         shortened(mapped.value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace), kShown);
}

void print_mapped(const amt::ImportReport& report, const std::string& study, std::ostream& out) {
  for (const amt::Mapped& mapped : report.mapped) {
    if (mapped.study != study) continue;
    out << "  " << visible_text(key_text(mapped)) << " from "
        << visible_text(with_line(mapped.from, mapped.line));
    if (!mapped.note.empty()) out << ": " << visible_text(mapped.note);
    out << '\n';
  }
}

// Fields of one reason share a line.
void print_left_out(const char* title, const std::vector<amt::LeftOut>& list, std::ostream& out) {
  if (list.empty()) return;
  out << title << '\n';
  std::vector<std::string> reasons;
  std::map<std::string, std::string> fields;
  for (const amt::LeftOut& each : list) {
    std::string& line = fields[each.reason];
    if (line.empty()) reasons.push_back(each.reason);
    line += (line.empty() ? "" : ", ") + with_line(each.from, each.line);
  }
  for (const std::string& reason : reasons)
    out << "  " << visible_text(fields[reason]) << ": " << visible_text(reason) << '\n';
}

void print_words(const amt::Import& import, const std::string& file, std::ostream& out) {
  for (const ImportedSearch& search : import.searches) {
    out << "the study " << search.study << ", from " << visible_text(file) << ":\n";
    print_mapped(import.report, search.study, out);
  }
  print_left_out("ignored:", import.report.ignored, out);
  print_left_out("not mapped:", import.report.unmapped, out);
  for (const Problem& warning : import.report.warnings) {
    out << "warning: " << visible_text(file) << ':' << warning.line << ':' << warning.column << ' '
        << visible_text(warning.pointer) << ": " << visible_text(warning.message) << '\n';
    if (!warning.hint.empty()) out << "  " << visible_text(warning.hint) << '\n';
  }
}

void print_next(const ImportedSearch& search, const std::string& output, std::ostream& out) {
  const std::string spec = output.empty() ? "the spec" : visible_text(output);
  if (!search.is_trainable)
    out << spec
        << " does not say how a trial is trained: import again with --command 'python3 train.py', or add "
        << "\"command\" to it\n";
  else if (!output.empty())
    out << spec << " is written: `tune check " << spec << "` looks at it, `tune --spec " << spec
        << "` runs it\n";
}

OrderedJson left_out_json(const std::vector<amt::LeftOut>& list) {
  OrderedJson json = OrderedJson::array();
  for (const amt::LeftOut& each : list)
    json.push_back(
        {{"from", each.from}, {"line", each.line}, {"reason", each.reason}, {"value", each.value}});
  return json;
}

OrderedJson document_of(const amt::Import& import, const std::map<std::string, std::string>& files) {
  OrderedJson json{{"schema", 1}, {"searches", OrderedJson::array()}, {"mapped", OrderedJson::array()}};
  for (const ImportedSearch& search : import.searches)
    json["searches"].push_back(
        {{"study", search.study},
         {"file", files.contains(search.study) ? OrderedJson(files.at(search.study)) : OrderedJson()},
         {"trainable", search.is_trainable},
         {"spec", search.spec}});
  for (const amt::Mapped& each : import.report.mapped)
    json["mapped"].push_back({{"study", each.study},
                              {"from", each.from},
                              {"line", each.line},
                              {"to", each.to},
                              {"value", each.value},
                              {"note", each.note}});
  json["ignored"] = left_out_json(import.report.ignored);
  json["unmapped"] = left_out_json(import.report.unmapped);
  json["warnings"] = OrderedJson::array();
  for (const Problem& warning : import.report.warnings)
    json["warnings"].push_back({{"line", warning.line},
                                {"column", warning.column},
                                {"pointer", warning.pointer},
                                {"message", warning.message},
                                {"hint", warning.hint}});
  return json;
}

// All of them or none: nothing is written where one is in the way, or where there is no room for one.
std::map<std::string, std::string> write_specs(const amt::Import& import, const fs::path& request,
                                               const fs::path& output, bool force) {
  std::map<std::string, std::string> files;  // by study
  for (const ImportedSearch& search : import.searches) {
    const fs::path file = output_of(output, search, import.searches.size());
    std::error_code unknown;
    if (fs::is_directory(file, unknown))
      throw Error(ExitCode::kUsage, in_quotes(file.string()) + " is a folder", "name a file in it");
    if (fs::equivalent(file, request, unknown))
      throw Error(ExitCode::kUsage, in_quotes(file.string()) + " is the request itself",
                  "write the spec to another file");
    if (fs::exists(fs::symlink_status(file, unknown)) && !force)
      throw Error(ExitCode::kConflict, in_quotes(file.string()) + " is there already",
                  "choose another name, or write over it with --force");
    files[search.study] = file.string();
  }
  std::list<AtomicFile> written;
  for (const ImportedSearch& search : import.searches)
    written.emplace_back(files.at(search.study)).add(spec_text(search.spec));
  for (AtomicFile& file : written) file.commit();
  return files;
}

// JSON holds no other texts.
void require_utf8(const Parsed& options, const std::string& name) {
  for (const std::string& text : options.texts(name))
    if (visible_text(text).find("\\x") != std::string::npos && text.find("\\x") == std::string::npos)
      throw Error(ExitCode::kUsage, "--" + name + " is not UTF-8: " + in_quotes(text),
                  "a spec holds UTF-8 alone");
}

amt::ImportOptions import_options(const Parsed& options) {
  amt::ImportOptions import;
  for (const char* name : {"command", "map"}) require_utf8(options, name);
  if (options.has("command")) import.command = amt::command_words(options.text("command"));
  if (options.has("output")) import.paths = amt::PathMap(fs::absolute(options.text("output")).parent_path());
  for (const std::string& entry : options.texts("map")) import.paths.add(entry);
  import.usd_per_hour = amount_option(options, "usd-per-hour");
  import.definition = options.text("definition");
  import.check = metrics::regex_objection;
  return import;
}

}  // namespace

int import_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "import")
          .positional("FORMAT",
                      "amt: a CreateHyperParameterTuningJob request, or what "
                      "describe-hyper-parameter-tuning-job prints; optuna: an SQLite storage, whose study "
                      "others can learn from")
          .positional("FILE", "the request, - reads stdin; or the storage")
          .value("study", "NAME", "optuna: one of the storage's studies [the only one]")
          .value("name", "STUDY", "optuna: the name that it gets in the store [as there]")
          .value("output", "FILE",
                 "write the spec there, in place of stdout; with several definitions FILE-DEFINITION")
          .flag("force", "write over what is there")
          .value("command", "CMD",
                 "the program that trains; without any {{name}} it gets each hyperparameter as --name=value")
          .add({"map", "S3=PATH", "where a place in S3 lies on this machine", false, true})
          .value("definition", "NAME", "one of several TrainingJobDefinitions")
          .value("usd-per-hour", "USD", "price of one GPU for an hour")
          .json("the specs, and what was mapped, ignored and not mapped")
          .parse(arguments, console);
  if (!options) return 0;
  if (options->text("FORMAT") == "optuna") return import_optuna(*options, console);
  if (options->text("FORMAT") != "amt")
    throw Error(ExitCode::kUsage, "there is no format " + in_quotes(options->text("FORMAT")),
                "for example: tune import amt job.json, tune import optuna study.db");
  const std::string file = options->text("FILE"), name = file == "-" ? "stdin" : file;
  const amt::Import import = amt::import_request(request_text(file), name, import_options(*options));
  const bool writes = options->has("output"), as_json = options->has("json");
  if (!writes && !as_json && import.searches.size() > 1)
    throw Error(ExitCode::kUsage,
                "the request has " + std::to_string(import.searches.size()) +
                    " definitions, and each becomes a spec of its own",
                "choose one with --definition, or write all with --output search.json");
  std::map<std::string, std::string> files;
  if (writes) files = write_specs(import, file, options->text("output"), options->has("force"));
  if (as_json) {
    print_ordered(document_of(import, files), console);
    return 0;
  }
  print_words(import, name, console.err);
  if (!writes) console.out << spec_text(import.searches.front().spec);
  for (const ImportedSearch& search : import.searches)
    print_next(search, writes ? files.at(search.study) : "", console.err);
  return 0;
}

}  // namespace tune::cli

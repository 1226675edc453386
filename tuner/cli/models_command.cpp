#include <ostream>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/promotion/version_check.h"
#include "tuner/report/text/model_report.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVerify = "verify";

std::vector<report::ModelRows> read_models(const fs::path& registry_file) {
  std::vector<report::ModelRows> models;
  std::error_code ignored;
  if (!fs::exists(registry_file, ignored)) return models;  // nothing was ever promoted: no error
  const store::ModelRegistry registry(registry_file, store::OpenMode::kRead);
  for (const std::string& name : registry.models()) models.push_back(report::read_model(registry, name));
  return models;
}

const report::ModelRows& find_model(const std::vector<report::ModelRows>& models, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& model : models) {
    if (model.model == name) return model;
    names.push_back(model.model);
  }
  const auto guess = nearest_name(name, names);
  throw Error(ExitCode::kNotFound, "there is no model \"" + name + "\"",
              guess ? "did you mean \"" + *guess + "\"?" : "`tune models` lists them");
}

// `tune models verify [NAME]`: reads every file of every version.
int verify(const fs::path& folder, const std::string& name, bool as_json, Console& console) {
  if (!name.empty()) find_model(read_models(registry_file(folder)), name);
  const std::vector<engine::CheckedVersion> versions = engine::check_versions(folder, name);
  std::size_t damaged = 0;
  Json list = Json::array();
  for (const engine::CheckedVersion& version : versions) {
    damaged += !version.damage.empty();
    list.push_back({{"model", version.model},
                    {"version", version.version},
                    {"folder", version.folder.string()},
                    {"damage", version.damage}});
    if (as_json) continue;
    console.out << version.model << " version " << version.version << ": "
                << (version.damage.empty() ? "as it was promoted" : "damaged") << '\n';
    for (const std::string& sentence : version.damage) console.out << "  " << visible_text(sentence) << '\n';
  }
  if (as_json) print_json({{"schema", 1}, {"versions", list}, {"damaged", damaged}}, console);
  if (!as_json && versions.empty()) console.out << "no models in " << visible_text(folder.string()) << '\n';
  if (!as_json && damaged > 0)
    console.out << "Restore the folders from a copy, or promote another trial with `tune promote STUDY/N`.\n";
  return static_cast<int>(damaged > 0 ? ExitCode::kEnvironment : ExitCode::kOk);
}

}  // namespace

int models_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "models")
                           .positional("NAME",
                                       "one model, with lineage [all]; or verify: are the files of\n"
                                       "                        every version as they were promoted?",
                                       false)
                           .positional("MODEL", "after verify: of this model alone [all]", false)
                           .parse(arguments, console);
  if (!options) return 0;
  const fs::path folder = models_folder(store_folder(*options));
  const bool verifies = options->has("NAME") && options->text("NAME") == kVerify;
  if (verifies)
    return verify(folder, options->has("MODEL") ? options->text("MODEL") : "", options->has("json"), console);
  if (options->has("MODEL"))
    throw Error(ExitCode::kUsage, "\"" + options->text("MODEL") + "\" is one argument too many",
                "`tune models NAME` shows a model, `tune models verify NAME` checks its files");
  const std::vector<report::ModelRows> models = read_models(registry_file(folder));
  if (options->has("NAME")) {
    const report::ModelRows& model = find_model(models, options->text("NAME"));
    const std::string current = current_link(folder / model.model).string();
    if (options->has("json")) {
      Json json = report::model_json(model);
      json["folder"] = model.current > 0 ? Json(current) : Json();
      print_json(json, console);
    } else {
      console.out << report::model_text(model, current, console.width);
    }
    return 0;
  }
  if (options->has("json"))
    print_json(report::models_json(models), console);
  else if (models.empty())
    console.out << "no models in " << visible_text(folder.string())
                << "; `tune promote STUDY` makes the first one\n";
  else
    console.out << report::models_text(models, console.width);
  return 0;
}

}  // namespace tune::cli

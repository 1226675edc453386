#include <ostream>

#include "tuner/cli/commands.h"
#include "tuner/cli/options.h"
#include "tuner/cli/output.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/report/model_report.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

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

}  // namespace

int models_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options("models").positional("NAME", "one model, with lineage [all]", false).parse(arguments, console);
  if (!options) return 0;
  const fs::path folder = store_folder(*options) / "models";
  const std::vector<report::ModelRows> models = read_models(folder / "registry.db");
  if (options->has("NAME")) {
    const report::ModelRows& model = find_model(models, options->text("NAME"));
    const std::string current = (folder / model.model / "current").string();
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

// What `tune models` shows: models, a version, whether files are as they were, and where a version stands.
#include <ostream>

#include "tuner/cli/command_line/output.h"
#include "tuner/cli/models_actions.h"
#include "tuner/cli/served_versions.h"
#include "tuner/core/error.h"
#include "tuner/core/model_reference.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/promotion/model_family.h"
#include "tuner/engine/promotion/version_check.h"
#include "tuner/report/text/model_report.h"

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
  throw store::unknown_model(name, names);
}

// The version that the first argument names, with all of its model.
struct Found {
  store::ModelVersion version;
  report::ModelRows model;
  engine::ModelFamily family;
  fs::path folder;
};
Found find_version(const ModelsCall& call) {
  const ModelReference reference = parse_model_reference(call.argument(0));
  const fs::path models = models_folder(call.store);
  std::error_code ignored;
  if (!fs::exists(registry_file(models), ignored)) find_model({}, reference.model);
  const store::ModelRegistry registry(registry_file(models), store::OpenMode::kRead);
  Found found;
  found.version = registry.resolve(reference);
  found.model = report::read_model(registry, reference.model);
  found.family = engine::family_of(registry, models, found.version);
  found.folder = version_folder(models / reference.model, found.version.version);
  return found;
}

Json names_json(const std::vector<engine::VersionName>& names) {
  Json list = Json::array();
  for (const auto& [model, version] : names) list.push_back({{"model", model}, {"version", version}});
  return list;
}

void print_lineage(const Found& found, const std::vector<std::string>& endpoints, std::ostream& out) {
  out << found.version.model << '@' << found.version.version << "\ncame from:\n  "
      << report::origin_text(found.version) << '\n';
  Json lineage = Json::object();
  for (const char* key :
       {"parameters", "trainer", "data_fingerprint", "parent_weights", "code", "imported", "adopted"})
    lineage[key] = found.version.lineage.value(key, Json());
  out << report::lineage_text(lineage);
  for (const auto& [model, version] : found.family.ancestors)
    out << "  weights of " << model << '@' << version << '\n';
  out << "went to:\n";
  for (const auto& [model, version] : found.family.descendants)
    out << "  the training of " << model << '@' << version << '\n';
  for (const store::ModelAlias& alias : found.model.aliases)
    if (alias.version == found.version.version) out << "  the alias " << alias.alias << '\n';
  for (const std::string& endpoint : endpoints) out << "  the endpoint " << visible_text(endpoint) << '\n';
  if (found.family.descendants.empty() && endpoints.empty()) out << "  no training and no endpoint\n";
}

}  // namespace

int list_models(const ModelsCall& call) {
  const fs::path folder = models_folder(call.store);
  const std::vector<report::ModelRows> models = read_models(registry_file(folder));
  if (const std::string name = call.argument(0); !name.empty()) {
    const report::ModelRows& model = find_model(models, name);
    const std::string current = current_link(folder / model.model).string();
    if (call.as_json()) {
      Json json = report::model_json(model);
      json["folder"] = model.current > 0 ? Json(current) : Json();
      print_json(json, call.console);
    } else {
      call.console.out << report::model_text(model, current, call.console.width);
    }
    return 0;
  }
  if (call.as_json())
    print_json(report::models_json(models), call.console);
  else if (models.empty())
    call.console.out << "no models in " << visible_text(folder.string())
                     << "; `tune promote STUDY` makes the first one\n";
  else
    call.console.out << report::models_text(models, call.console.width);
  return 0;
}

int show_version(const ModelsCall& call) {
  const Found found = find_version(call);
  if (call.as_json())
    print_json(report::version_json(found.model, found.version, found.folder.string()), call.console);
  else
    call.console.out << report::version_text(found.model, found.version, found.folder.string(),
                                             call.console.width);
  return 0;
}

int verify_models(const ModelsCall& call) {
  const fs::path folder = models_folder(call.store);
  const std::string name = call.argument(0);
  Console& console = call.console;
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
    if (call.as_json()) continue;
    console.out << version.model << " version " << version.version << ": "
                << (version.damage.empty() ? "as it was promoted" : "damaged") << '\n';
    for (const std::string& sentence : version.damage) console.out << "  " << visible_text(sentence) << '\n';
  }
  if (call.as_json()) print_json({{"schema", 1}, {"versions", list}, {"damaged", damaged}}, console);
  if (!call.as_json() && versions.empty())
    console.out << "no models in " << visible_text(folder.string()) << '\n';
  if (!call.as_json() && damaged > 0)
    console.out << "Restore the folders from a copy, or promote another trial with `tune promote STUDY/N`.\n";
  return static_cast<int>(damaged > 0 ? ExitCode::kEnvironment : ExitCode::kOk);
}

int show_lineage(const ModelsCall& call) {
  const Found found = find_version(call);
  const std::vector<std::string> endpoints =
      endpoints_of(call.store, found.version.model, found.version.version);
  if (!call.as_json()) {
    print_lineage(found, endpoints, call.console.out);
    return 0;
  }
  Json aliases = Json::array();
  for (const store::ModelAlias& alias : found.model.aliases)
    if (alias.version == found.version.version) aliases.push_back(alias.alias);
  print_json({{"schema", 1},
              {"model", found.version.model},
              {"version", found.version.version},
              {"lineage", found.version.lineage},
              {"ancestors", names_json(found.family.ancestors)},
              {"descendants", names_json(found.family.descendants)},
              {"aliases", aliases},
              {"endpoints", endpoints}},
             call.console);
  return 0;
}

}  // namespace tune::cli

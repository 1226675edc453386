#include "tuner/serve/model_view.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "store/model_registry.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/report/text/model_report.h"
#include "tuner/serve/endpoint_view.h"

namespace tune::serve {
namespace {

namespace fs = std::filesystem;

// nullopt where nothing was ever promoted.
std::optional<store::ModelRegistry> open_registry(const fs::path& store) {
  const fs::path file = registry_file(models_folder(store));
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  return store::ModelRegistry(file, store::OpenMode::kRead);
}

OrderedJson summary(const report::ModelRows& model) {
  const auto current = std::find_if(model.versions.begin(), model.versions.end(),
                                    [&](const auto& version) { return version.version == model.current; });
  OrderedJson json{{"model", model.model},
                   {"versions", model.versions.size()},
                   {"current", model.current > 0 ? Json(model.current) : Json()}};
  const bool has_current = current != model.versions.end();
  json["metric"] = has_current ? Json(current->objective.metric) : Json();
  json["value"] = has_current ? number_to_json(current->value) : Json();
  json["study"] = has_current ? Json(current->study) : Json();
  json["trial"] = has_current ? Json(current->trial) : Json();
  json["created"] = has_current ? Json(format_time(current->created)) : Json();
  json["aliases"] = OrderedJson::object();
  if (model.current > 0) json["aliases"]["current"] = model.current;
  return json;
}

}  // namespace

OrderedJson models_json(const fs::path& store) {
  OrderedJson list = OrderedJson::array();
  const auto registry = open_registry(store);
  if (!registry) return list;
  for (const std::string& name : registry->models())
    list.push_back(summary(report::read_model(*registry, name)));
  return list;
}

OrderedJson model_json(const fs::path& store, const std::string& model) {
  const auto registry = open_registry(store);
  const std::vector<std::string> names = registry ? registry->models() : std::vector<std::string>();
  if (std::find(names.begin(), names.end(), model) == names.end()) {
    const auto guess = nearest_name(model, names);
    throw Error(ExitCode::kNotFound, "there is no model \"" + model + "\"",
                guess ? "did you mean \"" + *guess + "\"?" : "`tune models` lists them");
  }
  const report::ModelRows rows = report::read_model(*registry, model);
  OrderedJson json = report::model_json(rows);
  json["aliases"] = summary(rows)["aliases"];
  json["endpoints"] = OrderedJson::array();
  for (const OrderedJson& endpoint : endpoints_json(store))
    if (endpoint.value("model", OrderedJson()) == model) json["endpoints"].push_back(endpoint["endpoint"]);
  return json;
}

}  // namespace tune::serve

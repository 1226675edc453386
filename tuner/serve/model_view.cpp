#include "tuner/serve/model_view.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "store/model_registry.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/os/run_program.h"
#include "tuner/report/text/model_report.h"
#include "tuner/serve/endpoint_view.h"
#include "tuner/serve/request_body.h"

namespace tune::serve {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds kPromotionPatience{600'000};

// nullopt where nothing was ever promoted.
std::optional<store::ModelRegistry> open_registry(const fs::path& store) {
  const fs::path file = registry_file(models_folder(store));
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  return store::ModelRegistry(file, store::OpenMode::kRead);
}

void require_model(const std::optional<store::ModelRegistry>& registry, const std::string& model) {
  const std::vector<std::string> names = registry ? registry->models() : std::vector<std::string>();
  if (std::find(names.begin(), names.end(), model) == names.end()) throw store::unknown_model(model, names);
}

// What a command with --json has said on stderr, as an error of this server.
http::HttpError error_in(const std::vector<std::string>& lines, int exit_code) {
  const int status = exit_code == static_cast<int>(ExitCode::kConflict)   ? 409
                     : exit_code == static_cast<int>(ExitCode::kNotFound) ? 404
                     : exit_code == static_cast<int>(ExitCode::kUsage)    ? 400
                                                                          : 500;
  for (const std::string& line : lines) {
    const Json said = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!said.is_object() || !said.contains("error") || !said["error"].is_object()) continue;
    return {status, said["error"].value("message", std::string()),
            said["error"].value("hint", std::string())};
  }
  return {status, "`tune models promote` ended with exit code " + std::to_string(exit_code)};
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
  const bool has_study = has_current && !current->study.empty();
  json["study"] = has_study ? Json(current->study) : Json();
  json["trial"] = has_study ? Json(current->trial) : Json();
  json["created"] = has_current ? Json(format_time(current->created)) : Json();
  json["aliases"] = OrderedJson::object();
  for (const store::ModelAlias& alias : model.aliases) json["aliases"][alias.alias] = alias.version;
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
  require_model(registry, model);
  const report::ModelRows rows = report::read_model(*registry, model);
  OrderedJson json = report::model_json(rows);
  json["endpoints"] = OrderedJson::array();
  for (const OrderedJson& endpoint : endpoints_json(store))
    if (endpoint.value("model", OrderedJson()) == model) json["endpoints"].push_back(endpoint["endpoint"]);
  return json;
}

http::Response promote_model(const fs::path& store, const std::string& model, const std::string& body,
                             const std::function<bool()>& is_interrupted) {
  require_model(open_registry(store), model);
  const AliasMove asked = alias_move_of(body);
  // As the command does it, with its gate, which may take a while and runs programs.
  Program command;
  command.argv = {fs::read_symlink("/proc/self/exe").string(),
                  "models",
                  "promote",
                  model + '@' + std::to_string(asked.version),
                  "--to",
                  asked.alias,
                  "--store",
                  store.string(),
                  "--json"};
  if (asked.expected)
    command.argv.insert(command.argv.end(),
                        {"--expected", *asked.expected == 0 ? "none" : std::to_string(*asked.expected)});
  command.working_directory = "/";  // every path is a full one
  std::vector<std::string> lines;
  command.on_line = [&lines](const std::string& line) { lines.push_back(line); };
  command.time_limit = kPromotionPatience;
  command.signals = [&is_interrupted] { return is_interrupted() ? 1 : 0; };
  const ProgramOutput output = run_program(command);
  const Json said = Json::parse(output.out, nullptr, /*allow_exceptions=*/false);
  if (output.exit_code == static_cast<int>(ExitCode::kNothingToPromote) && said.is_object())
    throw http::HttpError(409, "not promoted: " + said.value("reason", std::string()));
  if (output.exit_code != 0 || !said.is_object()) throw error_in(lines, output.exit_code);
  return http::Response::json(
      {{"schema", 1},
       {"model", model},
       {"alias", asked.alias},
       {"version", asked.version},
       {"done", model + '@' + asked.alias + " is version " + std::to_string(asked.version) + ": " +
                    said.value("reason", std::string())}});
}

}  // namespace tune::serve

#include "tuner/endpoint/endpoint_state.h"

#include <algorithm>

#include "tuner/core/edit_distance.h"
#include "tuner/core/enum_text.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/process.h"
#include "tuner/os/regular_file.h"

namespace tune::endpoint {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 1'000'000;  // of a file of a few lines

constexpr EnumTexts<State, 4> kStates{{{State::kDeploying, "deploying"},
                                       {State::kDeployed, "deployed"},
                                       {State::kStopping, "stopping"},
                                       {State::kNotDeployed, "not deployed"}}};

Json version_or_null(int version) { return version > 0 ? Json(version) : Json(nullptr); }
int version_in(const Json& json) { return json.is_null() ? 0 : json.get<int>(); }
Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }
std::string text_in(const Json& json) { return json.is_null() ? std::string() : json.get<std::string>(); }

// Whether the process that wrote the state still works on it.
bool is_alive(const EndpointState& state) {
  if (state.boot_id != boot_id()) return false;
  const auto info = process_info(state.pid);
  return info && info->start_time == state.start_time && info->state != 'Z' && info->state != 'X';
}

// The words for a supervisor that ended without a word.
void mark_dead(ListedEndpoint& endpoint) {
  EndpointState& state = endpoint.state;
  const bool is_other_boot = state.boot_id != boot_id();
  state.reason = is_other_boot ? "the machine was started again since"
                               : "its supervisor (process " + std::to_string(state.pid) + ") died";
  state.state = State::kNotDeployed;
  state.worker_pid = 0;
  state.url.clear();
  state.undeploy_at.reset();
  endpoint.has_died = true;
}

ListedEndpoint read_endpoint(const fs::path& folder) {
  ListedEndpoint endpoint;
  endpoint.folder = folder;
  endpoint.state.name = folder.filename().string();
  try {
    const fs::path asked = folder / kEndpointFile, state = folder / kStateFile;
    if (const JsonFile file = read_json_file(asked, kMostBytes); !file.spoilt.empty())
      throw Error(ExitCode::kEnvironment, file.spoilt);
    else if (file.is_there)
      endpoint.asked = endpoint_from_json(file.value, asked);
    if (const JsonFile file = read_json_file(state, kMostBytes); !file.spoilt.empty())
      throw Error(ExitCode::kEnvironment, file.spoilt);
    else if (file.is_there)
      endpoint.state = state_from_json(file.value, state);
    else
      endpoint.state.reason = "nothing of it was deployed yet";
    endpoint.state.name = folder.filename().string();
    if (endpoint.state.state != State::kNotDeployed && !is_alive(endpoint.state)) mark_dead(endpoint);
  } catch (const Error& error) {
    endpoint.problem = error.what();
    endpoint.state.state = State::kNotDeployed;
    endpoint.state.reason = endpoint.problem;
  }
  return endpoint;
}

}  // namespace

const char* to_text(State state) { return text_of(kStates, state); }

Json state_json(const EndpointState& state) {
  Json adapters = Json::object();
  for (const auto& [name, served] : state.adapters)
    adapters[name] = {{"model", served.model}, {"version", served.version}};
  return {{"schema", 1},
          {"endpoint", state.name},
          {"state", to_text(state.state)},
          {"reason", state.reason},
          {"since", state.since},
          {"model", state.asked.model},
          {"reference", reference_text(state.asked)},
          {"version", version_or_null(state.version)},
          {"previous_version", version_or_null(state.previous_version)},
          {"adapters", adapters},
          {"pid", state.pid},
          {"start_time", state.start_time},
          {"boot_id", state.boot_id},
          {"worker_pid", state.worker_pid > 0 ? Json(state.worker_pid) : Json(nullptr)},
          {"url", text_or_null(state.url)},
          {"restarts", state.restarts},
          {"last_error", text_or_null(state.last_error)},
          {"requests", state.requests},
          {"last_request", text_or_null(state.last_request)},
          {"undeploy_at", state.undeploy_at ? Json(*state.undeploy_at) : Json(nullptr)}};
}

EndpointState state_from_json(const Json& json, const fs::path& file) try {
  if (json.at("schema") != 1) throw std::invalid_argument("its schema is not 1");
  EndpointState state;
  state.name = json.at("endpoint");
  state.state = value_of(kStates, json.at("state"), "state of an endpoint");
  state.reason = json.at("reason");
  state.since = json.at("since");
  state.asked = parse_model_reference(json.at("reference"));
  state.version = version_in(json.at("version"));
  state.previous_version = version_in(json.at("previous_version"));
  for (const auto& [name, served] : json.at("adapters").items())
    state.adapters[name] = {served.at("model"), served.at("version")};
  state.pid = json.at("pid");
  state.start_time = json.at("start_time");
  state.boot_id = json.at("boot_id");
  if (const Json& worker = json.at("worker_pid"); !worker.is_null()) state.worker_pid = worker;
  state.url = text_in(json.at("url"));
  state.restarts = json.at("restarts");
  state.last_error = text_in(json.at("last_error"));
  state.requests = json.at("requests");
  state.last_request = text_in(json.at("last_request"));
  if (const Json& at = json.at("undeploy_at"); !at.is_null()) state.undeploy_at = at;
  return state;
} catch (const std::exception& problem) {
  throw Error(ExitCode::kEnvironment,
              file.string() + " is not what the endpoint's supervisor wrote: " + visible_text(problem.what()),
              "deploy the endpoint again, or remove it with `tune undeploy NAME --delete`");
}

Json listed_json(const ListedEndpoint& endpoint) {
  Json json = state_json(endpoint.state);
  json.erase("schema");
  json["supervisor_died"] = endpoint.has_died;
  json["asked"] = endpoint.asked ? endpoint_json(*endpoint.asked) : Json(nullptr);
  json["folder"] = endpoint.folder.string();
  json["problem"] = text_or_null(endpoint.problem);
  return json;
}

std::vector<ListedEndpoint> list_endpoints(const fs::path& store) {
  const fs::path folder = endpoints_folder(store);
  std::vector<fs::path> folders;
  std::error_code problem;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem))
    if (std::error_code ignored; at->is_directory(ignored)) folders.push_back(at->path());
  if (problem && problem != std::errc::no_such_file_or_directory)
    throw Error(ExitCode::kEnvironment, "cannot read " + folder.string() + ": " + problem.message());
  std::sort(folders.begin(), folders.end());
  std::vector<ListedEndpoint> endpoints;
  for (const fs::path& each : folders) endpoints.push_back(read_endpoint(each));
  return endpoints;
}

ListedEndpoint find_endpoint(const fs::path& store, const std::string& name) {
  std::vector<std::string> names;
  for (ListedEndpoint& endpoint : list_endpoints(store)) {
    if (endpoint.state.name == name) return std::move(endpoint);
    names.push_back(endpoint.state.name);
  }
  const auto guess = nearest_name(name, names);
  throw Error(ExitCode::kNotFound,
              "there is no endpoint " + in_quotes(name) + " in " + endpoints_folder(store).string(),
              guess ? "did you mean \"" + *guess + "\"?"
                    : "`tune endpoints` lists them; --store names another store");
}

}  // namespace tune::endpoint

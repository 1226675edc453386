#include "tuner/serve/endpoint_view.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/http/client.h"
#include "tuner/http/route_table.h"
#include "tuner/os/held_locks.h"
#include "tuner/os/regular_file.h"

namespace tune::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostFileBytes = 4 << 20, kMostTokenBytes = 4096;
constexpr std::uint64_t kMostAnswerBytes = 256 << 20;
constexpr Milliseconds kConnectPatience{2'000}, kAnswerPatience{300'000}, kPagePatience{60'000};

std::vector<std::string> endpoint_names(const fs::path& store) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator entry(store / "endpoints", failed), end; !failed && entry != end;
       entry.increment(failed))
    if (std::error_code ignored; entry->is_directory(ignored))
      names.push_back(entry->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

// The folder of one that the store lists.
fs::path require_endpoint(const fs::path& store, const std::string& endpoint) {
  const std::vector<std::string> names = endpoint_names(store);
  if (std::find(names.begin(), names.end(), endpoint) != names.end()) return store / "endpoints" / endpoint;
  const auto guess = nearest_name(endpoint, names);
  throw Error(ExitCode::kNotFound, "there is no endpoint \"" + endpoint + "\"",
              guess ? "did you mean \"" + *guess + "\"?" : "`tune endpoints` lists them");
}

Json object_in(const fs::path& file) {
  JsonFile read = read_json_file(file, kMostFileBytes);
  return read.is_there && read.value.is_object() ? std::move(read.value) : Json::object();
}

// state.json, in the light of whether its supervisor lives.
Json state_in(const fs::path& folder) {
  Json state = object_in(folder / "state.json");
  if (state.value("state", Json("not deployed")) != "not deployed" && !is_locked(folder / "lock")) {
    state["state"] = "not deployed";
    state["reason"] = "its supervisor has ended without a word";
    state["url"] = nullptr;
  }
  return state;
}

// Whether a client of the sandbox may ask for that path, and with which method.
std::optional<std::string> method_for(const std::string& path) {
  static constexpr std::array<const char*, 6> kGet{"/ping",           "/v1/models",       "/v2",
                                                   "/v2/health/live", "/v2/health/ready", "/v2/models"};
  static constexpr std::array<const char*, 3> kPost{"/invocations", "/v1/chat/completions",
                                                    "/v1/completions"};
  if (std::find(kGet.begin(), kGet.end(), path) != kGet.end()) return "GET";
  if (std::find(kPost.begin(), kPost.end(), path) != kPost.end()) return "POST";
  std::vector<std::string> parts = http::path_parts(path);
  const bool is_model = parts.size() >= 3 && parts[0] == "v2" && parts[1] == "models" && !parts[2].empty();
  if (is_model && (parts.size() == 3 || (parts.size() == 4 && parts[3] == "ready"))) return "GET";
  if (is_model && parts.size() == 4 && parts[3] == "infer") return "POST";
  return std::nullopt;
}

std::string token_in(const fs::path& folder) {
  std::string token = read_regular_file(folder / "token", kMostTokenBytes).bytes;
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  return token;
}

bool is_handed_on(const http::Header& header) {
  static constexpr std::array<const char*, 4> kNames{"X-Tune-Model", "Retry-After", "Content-Language",
                                                     "Content-Type"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](const char* name) { return http::find_header({header}, name) != nullptr; });
}

// A page that shows itself in the name of this server must not come out of an endpoint.
bool is_shown_as_document(const std::string& type) {
  return type.starts_with("text/html") || type.find("xml") != std::string::npos ||
         type.find("svg") != std::string::npos;
}

}  // namespace

OrderedJson endpoints_json(const fs::path& store) {
  OrderedJson list = OrderedJson::array();
  for (const std::string& name : endpoint_names(store)) {
    const Json state = state_in(store / "endpoints" / name);
    OrderedJson json{{"endpoint", name}};
    json["state"] = state.value("state", Json("not deployed"));
    json["console_state"] = json["state"];
    for (const char* key :
         {"model", "version", "url", "since", "last_error", "reason", "requests", "undeploy_at"})
      json[key] = state.value(key, Json());
    list.push_back(std::move(json));
  }
  return list;
}

OrderedJson endpoint_json(const fs::path& store, const std::string& endpoint) {
  const fs::path folder = require_endpoint(store, endpoint);
  const Json state = state_in(folder);
  const Json word = state.value("state", Json("not deployed"));
  return {{"schema", 1},    {"endpoint", endpoint},  {"asked", object_in(folder / "endpoint.json")},
          {"state", state}, {"console_state", word}, {"reachable", word == "deployed"}};
}

http::Response invoke_endpoint(const fs::path& store, const std::string& endpoint,
                               const http::Request& request) {
  const fs::path folder = require_endpoint(store, endpoint);
  const std::string* asked = request.parameter("path");
  const std::string path = asked == nullptr ? "/invocations" : *asked;
  const auto method = path.find_first_of("?#") == std::string::npos ? method_for(path) : std::nullopt;
  if (!method)
    throw http::HttpError(400, in_quotes(path) + " is no path of an endpoint", "for example /invocations");
  const Json state = state_in(folder);
  const Json url = state.value("url", Json());
  if (!url.is_string() || url == "")
    throw http::HttpError(409, "the endpoint \"" + endpoint + "\" is not deployed", "deploy it: tune deploy");
  const http::Address address = http::parse_url(url.get<std::string>()).address;

  http::ClientRequest forward;
  forward.method = *method;
  for (const std::string& part : http::path_parts(path)) {
    forward.target += forward.target == "/" ? "" : "/";
    forward.target += http::percent_encoded(part);
  }
  forward.headers.push_back({"Authorization", "Bearer " + token_in(folder)});
  for (const char* name : {"Content-Type", "Accept"})
    if (const std::string* value = request.header(name)) forward.headers.push_back({name, *value});
  if (*method == "POST") forward.body = request.body;

  const auto client = std::make_shared<http::Client>(
      http::Client::Settings{address, kConnectPatience, kAnswerPatience, kMostAnswerBytes});
  const http::ClientResponse answer = [&] {
    try {
      return client->begin(forward);
    } catch (const Error& error) {
      throw http::HttpError(502, error.what(), error.hint());
    }
  }();
  const std::string* type = answer.header("Content-Type");
  http::Response response;
  response.status = answer.status;
  for (const http::Header& header : answer.headers)
    if (is_handed_on(header)) response.headers.push_back(header);
  if (type != nullptr && is_shown_as_document(*type))
    response.headers.push_back({"Content-Disposition", "attachment"});
  if (answer.header("Content-Length") != nullptr) {
    client->read_body([&response](std::string_view piece) {
      response.body += piece;
      return true;
    });
    return response;
  }
  response.producer = [client](const std::shared_ptr<http::ResponseStream>& stream) {
    client->read_body([&stream](std::string_view piece) {
      return stream->send_waiting(std::string(piece), kPagePatience);
    });
  };
  return response;
}

}  // namespace tune::serve

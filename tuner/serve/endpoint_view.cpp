#include "tuner/serve/endpoint_view.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/endpoint/endpoint_state.h"
#include "tuner/http/client.h"
#include "tuner/http/route_table.h"
#include "tuner/os/regular_file.h"

namespace tune::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostTokenBytes = 4096;
constexpr std::uint64_t kLargestAnswer = 256 << 20;
constexpr Milliseconds kConnectPatience{2'000}, kAnswerPatience{300'000}, kPagePatience{60'000};

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

// What its supervisor keeps for whoever may ask it: "Authorization: Bearer ...".
http::Header authorization_of(const fs::path& folder) {
  std::string line = read_regular_file(folder / endpoint::kAuthorizationFile, kMostTokenBytes).bytes;
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  constexpr std::string_view kName = "Authorization: ";
  if (!line.starts_with(kName))
    throw http::HttpError(
        502, "the endpoint's token cannot be read from " + (folder / endpoint::kAuthorizationFile).string());
  return {"Authorization", line.substr(kName.size())};
}

bool is_handed_on(const http::Header& header) {
  static constexpr std::array<const char*, 4> kNames{"X-Tune-Model", "Retry-After", "Content-Language",
                                                     "Content-Type"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](const char* name) { return http::find_header({header}, name) != nullptr; });
}

// A page that shows itself in the name of this server must not come out of an endpoint.
bool is_shown_as_document(const std::string& type) {
  const std::string low = lower_case(type);
  return low.find("html") != std::string::npos || low.find("xml") != std::string::npos ||
         low.find("svg") != std::string::npos;
}

// The answer's status and headers; its body is still to come.
http::Response handed_on(const http::ClientResponse& answer) {
  http::Response response;
  response.status = answer.status;
  for (const http::Header& header : answer.headers)
    if (is_handed_on(header)) response.headers.push_back(header);
  const std::string* type = answer.header("Content-Type");
  if (type != nullptr && is_shown_as_document(*type))
    response.headers.push_back({"Content-Disposition", "attachment"});
  return response;
}

}  // namespace

OrderedJson endpoints_json(const fs::path& store) {
  OrderedJson list = OrderedJson::array();
  for (const endpoint::ListedEndpoint& listed : endpoint::list_endpoints(store)) {
    OrderedJson json = endpoint::listed_json(listed);
    for (const char* key : {"pid", "start_time", "boot_id", "worker_pid", "asked", "folder"}) json.erase(key);
    json["console_state"] = json["state"];
    list.push_back(std::move(json));
  }
  return list;
}

OrderedJson endpoint_json(const fs::path& store, const std::string& name) {
  const endpoint::ListedEndpoint listed = endpoint::find_endpoint(store, name);
  const Json state = endpoint::listed_json(listed);
  return {{"schema", 1},
          {"endpoint", name},
          {"asked", state.at("asked")},
          {"state", state},
          {"console_state", state.at("state")},
          {"reachable", listed.state.state == endpoint::State::kDeployed && !listed.state.url.empty()}};
}

http::Response invoke_endpoint(const fs::path& store, const std::string& name, const http::Request& request,
                               const std::function<bool()>& is_interrupted) {
  const endpoint::ListedEndpoint listed = endpoint::find_endpoint(store, name);
  const std::string* asked = request.parameter("path");
  const std::string path = asked == nullptr ? "/invocations" : *asked;
  const auto method = path.find_first_of("?#") == std::string::npos ? method_for(path) : std::nullopt;
  if (!method)
    throw http::HttpError(400, in_quotes(path) + " is no path of an endpoint", "for example /invocations");
  if (listed.state.state == endpoint::State::kNotDeployed || listed.state.url.empty())
    throw http::HttpError(409, "the endpoint \"" + name + "\" is not deployed", "deploy it: tune deploy");
  const http::Address address = http::parse_url(listed.state.url).address;

  http::ClientRequest forward;
  forward.method = *method;
  for (const std::string& part : http::path_parts(path)) {
    forward.target += forward.target == "/" ? "" : "/";
    forward.target += http::percent_encoded(part);
  }
  forward.headers.push_back(authorization_of(listed.folder));
  for (const char* kept : {"Content-Type", "Accept"})
    if (const std::string* value = request.header(kept)) forward.headers.push_back({kept, *value});
  if (*method == "POST") forward.body = request.body;

  const auto client = std::make_shared<http::Client>(
      http::Client::Settings{address, kConnectPatience, kAnswerPatience, kLargestAnswer, is_interrupted});
  try {
    const http::ClientResponse answer = client->begin(forward);
    http::Response response = handed_on(answer);
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
  } catch (const Error& error) {
    throw http::HttpError(502, error.what(), error.hint());
  }
}

}  // namespace tune::serve

#pragma once
// What has become of an endpoint: STORE/endpoints/NAME/state.json, written whole by its supervisor at each
// change, and read by whoever shows endpoints or must not take away what they serve.
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/json.h"
#include "tuner/core/model_reference.h"
#include "tuner/endpoint/endpoint.h"

namespace tune::endpoint {

inline constexpr const char* kStateFile = "state.json";

enum class State { kDeploying, kDeployed, kStopping, kNotDeployed };
const char* to_text(State state);  // "deploying", "deployed", "stopping", "not deployed"

// One adapter as it is served.
struct ServedVersion {
  std::string model;
  int version = 0;
  bool operator==(const ServedVersion&) const = default;
};

struct EndpointState {
  std::string name;
  State state = State::kNotDeployed;
  std::string
      reason;  // why it is in this state, or what it does just now: a sentence without its stop; may be ""
  std::string since;  // in this state: RFC 3339, UTC
  ModelReference asked;
  int version = 0;                                // of the model that answers; 0: none did yet
  int previous_version = 0;                       // that answered before; 0: none
  std::map<std::string, ServedVersion> adapters;  // that answer, or before any does those to be loaded
  pid_t pid = 0;  // the supervisor; start time and boot id tell it from a later process of that number
  std::uint64_t start_time = 0;
  std::string boot_id;
  pid_t worker_pid = 0;  // 0: none runs
  std::string url;       // "http://127.0.0.1:8123"; "" while nothing is to be reached there
  int restarts = 0;      // of its worker, since it was deployed
  std::string last_error;
  std::int64_t requests = 0;               // answered since it was deployed
  std::string last_request;                // when; "": none yet
  std::optional<std::string> undeploy_at;  // RFC 3339, UTC: by the clock, not for want of requests
};

Json state_json(const EndpointState& state);
// Throws Error(kEnvironment), naming the file, for what state_json() did not write.
EndpointState state_from_json(const Json& json, const std::filesystem::path& file);

// An endpoint of a store as it is now.
struct ListedEndpoint {
  EndpointState state;            // of one whose supervisor died: not deployed, with that reason
  bool has_died = false;          // its supervisor ended without a word
  std::optional<Endpoint> asked;  // as it was last deployed; nullopt: it never was
  std::filesystem::path folder;
  std::string problem;  // why its files cannot be read; then `state` is not deployed
};

// Its state and, under "asked", what was asked; the same keys for every reader.
Json listed_json(const ListedEndpoint& endpoint);

// All of the store, by name; none where there is no folder of endpoints. Throws Error(kEnvironment) for a
// folder that cannot be read.
std::vector<ListedEndpoint> list_endpoints(const std::filesystem::path& store);
// Throws Error(kNotFound), with the nearest name.
ListedEndpoint find_endpoint(const std::filesystem::path& store, const std::string& name);

}  // namespace tune::endpoint

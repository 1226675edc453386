#pragma once
// What a person asks of an endpoint: which model is to answer, where, and until when. STORE/endpoints/NAME/
// endpoint.json, written whole by its supervisor once the endpoint is deployed.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/json.h"
#include "tuner/core/model_reference.h"

namespace tune::endpoint {

inline constexpr const char* kEndpointFile = "endpoint.json";
inline constexpr const char* kTokenFile = "token";
// The header that carries the token, "Authorization: Bearer ...", as `curl -H @FILE` takes it.
inline constexpr const char* kAuthorizationFile = "authorization";
inline constexpr const char* kLogFile = "log";
inline constexpr const char* kLockFile = "lock";

// When an endpoint is undeployed by itself. Any of them, none: never.
struct UndeployRule {
  std::optional<Milliseconds> after;                // since it was deployed, of the monotonic clock
  std::optional<std::chrono::minutes> time_of_day;  // since midnight, of this machine's time zone: once
  std::optional<Milliseconds> idle;                 // without a request
  bool operator==(const UndeployRule&) const = default;
};

// Limits that a worker sets itself, by the options that `tune deploy` and the worker both have for them. At
// least 1 each.
struct WorkerLimit {
  const char *option, *placeholder, *help;
  std::int64_t most;
};
inline constexpr WorkerLimit kWorkerLimits[] = {
    {"queue", "N", "examples or prompts that may wait [the worker's]", 4096},
    {"timeout", "SECONDS", "for one answer [the worker's]", 86'400},
    {"max-body-mb", "MB", "the largest request [the worker's]", 1024}};

struct Endpoint {
  std::string name;
  ModelReference model;
  std::string host = "127.0.0.1";  // as of http::Address
  int port = 0;                    // 0: one that is free
  std::vector<std::string> hosts;  // what clients may call it beside that address: "gpu-box", "gpu-box:8123"
  UndeployRule undeploy;
  std::map<std::string, ModelReference> adapters;  // by the name that requests choose them by
  std::optional<double> memory_gib;            // of data that the worker may hold (RLIMIT_DATA); more than 0
  std::map<std::string, std::int64_t> limits;  // of kWorkerLimits, those that were asked for
  std::string token_file;                      // absolute; "": `token` in the endpoint's folder
  std::string worker;                          // the program, absolute; "": tune-train
};

// Throws Error(kUsage): a letter or digit, then letters, digits, "_", "." and "-", 64 in all.
void require_endpoint_name(const std::string& name);

Json endpoint_json(const Endpoint& endpoint);
// Throws Error(kEnvironment), naming the file, for what endpoint_json() did not write.
Endpoint endpoint_from_json(const Json& json, const std::filesystem::path& file);

// "19:00" since midnight. Throws Error(kUsage).
std::chrono::minutes parse_time_of_day(const std::string& text);
std::string time_of_day_text(std::chrono::minutes time);

// The arguments by which `tune deploy` is asked for it again, as a shell takes them: "steel@3 --port 8123
// --idle 30m".
std::string asked_again(const Endpoint& endpoint);

}  // namespace tune::endpoint

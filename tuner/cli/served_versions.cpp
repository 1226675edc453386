#include "tuner/cli/served_versions.h"

#include <algorithm>

#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/os/held_locks.h"
#include "tuner/os/regular_file.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 1'000'000;  // a state is some hundred bytes

bool is_served(const Json& state, const std::string& model, int version) {
  const auto is_it = [&](const Json& served) {
    if (!served.is_object() || served.value("model", "") != model) return false;
    // Before it answers its state names no version: any may be the one that is being loaded.
    const Json number = served.value("version", Json());
    return number.is_null() || number == version;
  };
  if (state.value("state", "") == "not deployed") return false;
  if (is_it(state)) return true;
  const Json adapters = state.value("adapters", Json::object());
  return std::any_of(adapters.begin(), adapters.end(), is_it);
}

}  // namespace

std::vector<std::string> endpoints_of(const fs::path& store, const std::string& model, int version) {
  std::vector<std::string> names;
  std::error_code none;
  for (fs::directory_iterator at(store / "endpoints", none), end; !none && at != end; at.increment(none)) {
    std::error_code ignored;
    if (!fs::exists(at->path() / "lock", ignored) || !is_locked(at->path() / "lock")) continue;
    const JsonFile state = read_json_file(at->path() / "state.json", kMostBytes);
    if (!state.is_there && state.spoilt.empty()) continue;  // it has taken no port yet
    if (!state.value.is_object())
      throw Error(ExitCode::kEnvironment,
                  "what the endpoint " + at->path().filename().string() + " answers with cannot be read: " +
                      (state.spoilt.empty() ? "its state is no JSON object" : state.spoilt),
                  "`tune undeploy " + at->path().filename().string() + "` takes it down");
    if (is_served(state.value, model, version)) names.push_back(at->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace tune::cli

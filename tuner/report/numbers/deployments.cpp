#include "tuner/report/numbers/deployments.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "store/model_registry.h"
#include "tuner/core/store_layout.h"
#include "tuner/os/held_locks.h"
#include "tuner/os/regular_file.h"

namespace tune::report {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 1U << 20U;  // of an endpoint's state: some hundred are usual

// A version, and the word of the endpoint that has it.
using EndpointStates = std::map<std::pair<std::string, int>, std::string>;

// How far a state is on the way to answering requests.
std::ptrdiff_t distance(std::string_view state) {
  constexpr std::array<std::string_view, 4> kWay{kNotDeployed, "stopping", "deploying", "deployed"};
  return std::find(kWay.begin(), kWay.end(), state) - kWay.begin();
}

// A version is a number, in JSON or as a text.
int version_in(const Json& state) {
  const auto version = state.find("version");
  if (version == state.end()) return 0;
  if (version->is_number_integer()) return version->get<int>();
  const std::string text = version->is_string() ? version->get<std::string>() : "";
  const bool is_number =
      !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? std::stoi(text) : 0;
}

// Every endpoint has a folder with its state, and a lock that its supervisor holds while it lives.
EndpointStates endpoint_states(const fs::path& store) {
  EndpointStates states;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(store / "endpoints", none)) {
    const JsonFile file = read_json_file(entry.path() / "state.json", kMostBytes);
    if (!file.is_there || !file.value.is_object() || !is_locked(entry.path() / "lock")) continue;
    const auto text = [&](const char* name) {
      const auto found = file.value.find(name);
      return found != file.value.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    const std::string state = text("state");
    std::string& word = states[{text("model"), version_in(file.value)}];
    if (word.empty() || distance(state) > distance(word)) word = state;
  }
  return states;
}

}  // namespace

std::vector<Deployment> read_deployments(const fs::path& store) {
  std::vector<Deployment> deployments;
  const fs::path file = registry_file(models_folder(store));
  if (std::error_code none; !fs::exists(file, none)) return deployments;
  const EndpointStates endpoints = endpoint_states(store);
  const store::ModelRegistry registry(file, store::OpenMode::kRead);
  for (const std::string& model : registry.models())
    for (const store::ModelVersion& version : registry.versions(model)) {
      const auto endpoint = endpoints.find({model, version.version});
      deployments.push_back({version.study, version.trial, model, version.version,
                             endpoint == endpoints.end() ? kNotDeployed : endpoint->second});
    }
  return deployments;
}

}  // namespace tune::report

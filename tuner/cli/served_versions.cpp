#include "tuner/cli/served_versions.h"

#include <algorithm>

#include "tuner/core/error.h"
#include "tuner/endpoint/endpoint_state.h"
#include "tuner/os/held_locks.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

bool is_served(const endpoint::EndpointState& state, const std::string& model, int version) {
  if (state.state == endpoint::State::kNotDeployed) return false;
  // Before it answers its state names no version: any may be the one that is being loaded.
  if (state.asked.model == model && (state.version == version || state.version == 0)) return true;
  return std::any_of(state.adapters.begin(), state.adapters.end(), [&](const auto& adapter) {
    return adapter.second == endpoint::ServedVersion{model, version};
  });
}

}  // namespace

std::vector<std::string> endpoints_of(const fs::path& store, const std::string& model, int version) {
  std::vector<std::string> names;
  for (const endpoint::ListedEndpoint& listed : endpoint::list_endpoints(store)) {
    const std::string& name = listed.state.name;
    std::error_code ignored;
    const fs::path lock = listed.folder / endpoint::kLockFile;
    if (!listed.problem.empty() && fs::exists(lock, ignored) && is_locked(lock))
      throw Error(ExitCode::kEnvironment,
                  "what the endpoint " + name + " answers with cannot be read: " + listed.problem,
                  "`tune undeploy " + name + "` takes it down");
    if (is_served(listed.state, model, version)) names.push_back(name);
  }
  return names;
}

}  // namespace tune::cli

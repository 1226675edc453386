#include "tuner/report/numbers/deployments.h"

#include <map>
#include <utility>

#include "store/model_registry.h"
#include "tuner/core/store_layout.h"
#include "tuner/endpoint/endpoint_state.h"

namespace tune::report {
namespace {

namespace fs = std::filesystem;
using endpoint::State;

// How the endpoints of a store stand, by the versions that they have.
std::map<std::pair<std::string, int>, State> endpoint_states(const fs::path& store) {
  std::map<std::pair<std::string, int>, State> states;
  const auto take = [&](const std::string& model, int version, State state) {
    const auto [known, is_first] = states.try_emplace({model, version}, state);
    // Of several the one that is furthest: answering, about to, or about to end.
    constexpr State kFurthest[] = {State::kDeployed, State::kDeploying, State::kStopping,
                                   State::kNotDeployed};
    for (const State one : kFurthest)
      if (known->second == one || state == one) {
        known->second = one;
        return;
      }
  };
  for (const endpoint::ListedEndpoint& listed : endpoint::list_endpoints(store)) {
    const endpoint::EndpointState& state = listed.state;
    if (state.version > 0) take(state.asked.model, state.version, state.state);
    for (const auto& [name, adapter] : state.adapters) take(adapter.model, adapter.version, state.state);
  }
  return states;
}

}  // namespace

std::vector<Deployment> read_deployments(const fs::path& store) {
  std::vector<Deployment> deployments;
  const fs::path file = registry_file(models_folder(store));
  if (std::error_code none; !fs::exists(file, none)) return deployments;
  const auto endpoints = endpoint_states(store);
  const store::ModelRegistry registry(file, store::OpenMode::kRead);
  for (const std::string& model : registry.models())
    for (const store::ModelVersion& version : registry.versions(model)) {
      const auto endpoint = endpoints.find({model, version.version});
      deployments.push_back(
          {version.study, version.trial, model, version.version,
           endpoint == endpoints.end() ? kNotDeployed : endpoint::to_text(endpoint->second)});
    }
  return deployments;
}

}  // namespace tune::report

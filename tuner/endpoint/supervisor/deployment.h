#pragma once
// How an endpoint's supervisor is started and ended by the commands of people.
#include <filesystem>
#include <functional>
#include <string>

#include "tuner/endpoint/endpoint.h"
#include "tuner/endpoint/endpoint_state.h"

namespace tune::endpoint {

using OnState = std::function<void(const EndpointState&)>;

// Deploys it and serves in this process, until a signal or its rule undeploys it. SIGINT, SIGTERM and SIGHUP
// are taken from then on. Throws as EndpointSupervisor::run().
void serve_here(const Endpoint& endpoint, const std::filesystem::path& store, const OnState& on_state);

// Deploys it in a process of its own, in a session of its own, that goes on when this one ends; returns once
// it answers, with its state. `on_state` is told each state on the way. When this process ends before that,
// nothing is deployed. Throws as EndpointSupervisor::run(). Call it while there is one thread.
EndpointState deploy_detached(const Endpoint& endpoint, const std::filesystem::path& store,
                              const OnState& on_state);

// Asks the supervisor to end, and waits for it; tells `on_wait` its state once it is stopping. False where
// none lives. Throws Error(kNotFound) for an unknown endpoint, Error(kEnvironment) for one of another user
// and one that does not end.
bool undeploy(const std::filesystem::path& store, const std::string& name, const OnState& on_wait);
// Takes the folder of an endpoint that is not deployed out of the store. Throws Error(kNotFound), and
// Error(kConflict) for one that is deployed again.
void remove_endpoint(const std::filesystem::path& store, const std::string& name);

}  // namespace tune::endpoint

#include "tuner/report/numbers/deployments.h"

#include <unistd.h>

#include "store/model_registry.h"
#include "support/catch.h"
#include "tuner/core/store_layout.h"
#include "tuner/endpoint/endpoint_state.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/process.h"
#include "unit/store/store_fixture.h"

namespace tune::report {
namespace {

namespace fs = std::filesystem;

void add_version(const fs::path& store, int version, int trial) {
  fs::create_directories(models_folder(store));
  store::ModelRegistry registry(registry_file(models_folder(store)), store::OpenMode::kCreate);
  store::ModelVersion row;
  row.model = "steel";
  row.version = version;
  row.study = "steel-legacy";
  row.trial = trial;
  row.objective = {"loss", Goal::kMinimize, Reduce::kBest};
  registry.insert_version(row);
}

// An endpoint of this very process, as its supervisor would write it.
void write_state(const fs::path& store, const std::string& name, endpoint::State word, int version) {
  endpoint::EndpointState state;
  state.name = name;
  state.state = word;
  state.since = "2026-12-01T12:00:00.000Z";
  state.asked = parse_model_reference("steel@champion");
  state.version = version;
  state.pid = ::getpid();
  state.start_time = process_info(state.pid)->start_time;
  state.boot_id = boot_id();
  const fs::path folder = endpoint_folder(store, name);
  fs::create_directories(folder);
  write_file_atomically(folder / endpoint::kStateFile, endpoint::state_json(state).dump());
}

TEST_CASE("a version that no endpoint has is not deployed, and a store without models has none", "[report]") {
  const store::TemporaryFolder store;
  CHECK(read_deployments(store / "").empty());
  add_version(store / "", 1, 3);
  const std::vector<Deployment> deployments = read_deployments(store / "");
  REQUIRE(deployments.size() == 1);
  CHECK(deployments[0].study == "steel-legacy");
  CHECK(deployments[0].trial == 3);
  CHECK(deployments[0].state == "not deployed");
}

TEST_CASE("a version has the word of its endpoint, of several that of the one which is furthest",
          "[report]") {
  const store::TemporaryFolder store;
  add_version(store / "", 1, 3);
  add_version(store / "", 2, 4);
  write_state(store / "", "a", endpoint::State::kDeploying, 2);
  CHECK(read_deployments(store / "")[0].state == "deploying");  // the newest first
  CHECK(read_deployments(store / "")[1].state == "not deployed");
  write_state(store / "", "b", endpoint::State::kDeployed, 2);
  write_state(store / "", "c", endpoint::State::kStopping, 2);
  CHECK(read_deployments(store / "")[0].state == "deployed");
}

}  // namespace
}  // namespace tune::report

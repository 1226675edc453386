#include "tuner/report/numbers/deployments.h"

#include <fstream>

#include "store/model_registry.h"
#include "support/catch.h"
#include "tuner/core/store_layout.h"
#include "tuner/os/file_lock.h"
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

fs::path write_state(const fs::path& store, const std::string& endpoint, const std::string& json) {
  const fs::path folder = store / "endpoints" / endpoint;
  fs::create_directories(folder);
  std::ofstream(folder / "state.json") << json;
  return folder / "lock";
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

TEST_CASE("a version has the word of its endpoint for as long as the endpoint's supervisor lives",
          "[report]") {
  const store::TemporaryFolder store;
  add_version(store / "", 1, 3);
  add_version(store / "", 2, 4);
  const fs::path lock =
      write_state(store / "", "a", R"({"model": "steel", "version": "2", "state": "deployed"})");
  std::string holder;
  {
    const auto held = FileLock::try_once(lock, holder);
    REQUIRE(held);
    CHECK(read_deployments(store / "")[0].state == "deployed");  // the newest first
    CHECK(read_deployments(store / "")[1].state == "not deployed");
    write_state(store / "", "a", R"({"model": "steel", "version": 1, "state": "deploying"})");
    CHECK(read_deployments(store / "")[1].state == "deploying");
    for (const char* odd : {"no JSON", "[]", R"({"model": "steel", "version": "x1", "state": "deployed"})"}) {
      write_state(store / "", "a", odd);
      CHECK(read_deployments(store / "")[1].state == "not deployed");
    }
    write_state(store / "", "a", R"({"model": "steel", "version": 1, "state": "deployed"})");
  }
  CHECK(read_deployments(store / "")[1].state == "not deployed");
}

}  // namespace
}  // namespace tune::report

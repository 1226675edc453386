#include "tuner/engine/devices/device_pool.h"

#include <fstream>
#include <numeric>

#include "tuner/engine/devices/cpu.h"
#include "unit/engine/attempt/runner_fixture.h"

using namespace tune;
using namespace tune::engine;
using Catch::Matchers::Contains;

namespace {

Resources cpu_only() {
  Resources resources;
  resources.gpus_per_trial = 0;
  return resources;
}

std::vector<int> sorted(std::vector<int> cores) {
  std::sort(cores.begin(), cores.end());
  return cores;
}

}  // namespace

TEST_CASE_METHOD(RunnerFixture,
                 "cores are leased among pools, and one that finds too few is not pinned, and says so") {
  const std::vector<int> all = usable_cores();
  DevicePool first(1, cpu_only()), second(1, cpu_only());
  std::optional<DeviceShare> share = first.take();
  REQUIRE(share);
  CHECK(sorted(share->cores) == all);
  CHECK(share->leases.size() == 1);
  CHECK(share->unpinned.empty());
  std::optional<DeviceShare> other = second.take();
  REQUIRE(other);  // nobody waits for cores
  CHECK(other->cores.empty());
  CHECK(other->threads == static_cast<int>(all.size()));
  CHECK_THAT(other->unpinned, Contains("not pinned to cores, since other tune processes hold"));
  first.give_back(std::move(*share));
  second.give_back(std::move(*other));
  CHECK(sorted(second.take()->cores) == all);
}

TEST_CASE_METHOD(RunnerFixture, "a pool takes cores that are free in place of its own that are not") {
  const std::vector<int> all = usable_cores();
  if (all.size() < 2) return;
  const LeaseFolder lease_folder;
  const auto held = lease_folder.take_cores({all.front()});
  REQUIRE(held);
  DevicePool pool(static_cast<int>(all.size()), cpu_only());  // a core each, the first one's is taken
  const auto share = pool.take();
  REQUIRE(share);
  CHECK(share->cores == std::vector<int>{all[1]});
  CHECK(share->unpinned.empty());
}

TEST_CASE_METHOD(RunnerFixture, "trials that outnumber the cores are not pinned, all alike") {
  const int count = static_cast<int>(usable_cores().size()) + 1;
  DevicePool pool(count, cpu_only());
  for (int i = 0; i < count; ++i) {
    const auto share = pool.take();
    REQUIRE(share);
    CHECK(share->cores.empty());
    CHECK(share->threads == 1);
    CHECK(share->unpinned.empty());
  }
}

TEST_CASE_METHOD(RunnerFixture, "without a folder for leases the trials of a CPU run, and are not pinned") {
  std::ofstream(folder.path() / "file") << "in its place";
  const ScopedVariable elsewhere("TUNE_LEASE_DIR", (folder.path() / "file").string());
  DevicePool pool(1, cpu_only());
  const auto share = pool.take();
  REQUIRE(share);
  CHECK_THAT(share->unpinned, Contains("not pinned to cores: cannot use the folder of leases"));
  CHECK(share->cores.empty());
}

TEST_CASE_METHOD(RunnerFixture,
                 "trials of several processes share the cores by processes, unless the spec says how many") {
  Resources resources = cpu_only();
  const int cores = static_cast<int>(usable_cores().size());
  resources.processes_per_trial = cores;
  DevicePool pool(std::nullopt, resources);
  CHECK(pool.capacity().total == 1);
  const auto share = pool.take();
  REQUIRE(share);
  CHECK(share->processes == cores);
  CHECK(share->threads == cores);
  CHECK(DevicePool(3, resources).capacity().total == 3);
}

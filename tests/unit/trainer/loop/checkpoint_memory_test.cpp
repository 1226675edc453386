// What checkpoints of a large model take of the memory, and how their files are checked.
#include "support/run_shell.h"
#include "torch_catch.h"
#include "trainer/loop/checkpoint.h"
#include "trainer/loop/device.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/sha256.h"

using namespace tune::trainer::loop;
using tune::Json;
using tune::tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kTensors = 8, kNumbers = 8 << 20;  // 32 MB each
constexpr std::int64_t kModelBytes = kTensors * kNumbers * 4;

Checkpoint large_checkpoint() {
  Checkpoint checkpoint;
  for (std::int64_t i = 0; i < kTensors; ++i)
    checkpoint.model["layer" + std::to_string(i)] = torch::full({kNumbers}, static_cast<double>(i));
  checkpoint.optimizer["momentum"] = torch::ones({8});
  checkpoint.generators.cpu = torch::zeros({1}, torch::kByte);
  checkpoint.progress.best_checkpoint = {1, 0};
  return checkpoint;
}

// The most memory of this process while `action` runs, beyond what it has before.
std::int64_t growth_of(const std::function<void()>& action) {
  const torch::Device cpu(torch::kCPU);
  forget_peak_memory(cpu);
  const std::int64_t before = peak_memory_bytes(cpu);
  action();
  return peak_memory_bytes(cpu) - before;
}

}  // namespace

TEST_CASE("Saving a large model takes little memory beside it, and loading it takes its own size once") {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  constexpr std::int64_t kLittle = kModelBytes / 4;
  {
    const Checkpoint checkpoint = large_checkpoint();
    const std::int64_t saving = growth_of([&] { store.save(checkpoint); });
    CHECK(saving < kLittle);
  }
  std::vector<std::string> notes;
  std::optional<Checkpoint> loaded;
  const std::int64_t loading = growth_of([&] { loaded = store.load_newest(notes); });
  CHECK(loading < kModelBytes + kLittle);
  REQUIRE(loaded);
  CHECK(loaded->model.at("layer5").eq(5).all().item<bool>());
}

TEST_CASE("A checkpoint's manifest has the size and the SHA-256 of each of its files") {
  const TemporaryFolder folder;
  Checkpoint checkpoint;
  checkpoint.model["w"] = torch::arange(5).to(torch::kFloat);
  checkpoint.optimizer["m"] = torch::zeros({2, 3});
  checkpoint.generators.cpu = torch::zeros({1}, torch::kByte);
  CheckpointStore(folder.path()).save(checkpoint);
  const fs::path place = folder.path() / "at-000001-000000000";
  const Json manifest = Json::parse(tune::read_file(place / "manifest.json"));
  CHECK(manifest["schema"] == 3);
  CHECK(manifest["files"].size() == 3);
  for (const auto& [name, entry] : manifest["files"].items()) {
    CHECK(entry["bytes"] == fs::file_size(place / name));
    CHECK(entry["sha256"] == tune::sha256_of_file(place / name));
  }
}

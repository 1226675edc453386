#include "trainer/loop/checkpoint.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <set>

#include "trainer/loop/checkpoint_state.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/regular_file.h"

namespace fs = std::filesystem;

namespace tune::trainer::loop {
namespace {

constexpr const char* kModel = "model.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char* kState = "state.json";
constexpr const char* kManifest = "manifest.json";
constexpr const char *kCpuGenerator = "generator", *kDeviceGenerator = "device_generator";
constexpr int kSchema = 2;        // 1 knew neither steps nor weights of batches
constexpr std::size_t kKept = 2;  // the newest, and the one before it in case that is damaged; and their best

// FNV-1a (Fowler, Noll, Vo) over words of 8 bytes instead of bytes: against accidents, not against an
// attacker.
std::string checksum(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto mix = [&hash](std::uint64_t word) { hash = (hash ^ word) * 0x100000001b3U; };
  std::size_t position = 0;
  for (; position + 8 <= bytes.size(); position += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + position, 8);
    mix(word ^ (hash >> 32));
  }
  for (; position < bytes.size(); ++position) mix(static_cast<unsigned char>(bytes[position]));
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

std::string folder_name(std::int64_t epoch, std::int64_t batch) {
  char text[64];
  std::snprintf(text, sizeof text, "at-%06lld-%09lld", static_cast<long long>(epoch),
                static_cast<long long>(batch));
  return text;
}

void write_part(const fs::path& folder, const char* name, const std::string& bytes, Json& manifest) {
  write_file_atomically(folder / name, bytes);
  manifest["files"][name] = {{"bytes", bytes.size()}, {"checksum", checksum(bytes)}};
}

// A file that lies in a folder that others may write.
std::string read_left(const fs::path& file, std::uint64_t most_bytes) {
  FileContent content = read_regular_file(file, most_bytes);
  if (!content.is_there)
    throw Error(ExitCode::kBadData,
                content.spoilt.empty() ? "there is no file \"" + file.string() + "\"" : content.spoilt);
  return std::move(content.bytes);
}

Json read_small(const fs::path& file) {
  constexpr std::uint64_t kMost = 64'000'000;
  return Json::parse(read_left(file, kMost));
}

// The content of a file of a complete checkpoint. Throws Error(kBadData) when it is not what was written.
std::string read_part(const fs::path& folder, const char* name, const Json& manifest) {
  const Json& entry = manifest.at("files").at(name);
  std::string bytes = read_left(folder / name, entry.at("bytes").get<std::uint64_t>());
  if (entry.at("bytes") != bytes.size() || entry.at("checksum") != checksum(bytes))
    throw Error(ExitCode::kBadData, (folder / name).string() + ": not what was written");
  return bytes;
}

Checkpoint read_checkpoint(const fs::path& folder) {
  const Json manifest = read_small(folder / kManifest);
  if (manifest.at("schema") != kSchema)
    throw Error(ExitCode::kConflict, "another version of tune-train wrote it",
                "finish the training with that version, or remove its checkpoints to start again");
  Checkpoint checkpoint = state_from_json(Json::parse(read_part(folder, kState, manifest)));
  checkpoint.model =
      weights::decode_safetensors(read_part(folder, kModel, manifest), (folder / kModel).string()).tensors;
  checkpoint.optimizer =
      weights::decode_safetensors(read_part(folder, kOptimizer, manifest), (folder / kOptimizer).string())
          .tensors;
  const auto take = [&](const char* name) {
    const auto node = checkpoint.optimizer.extract(name);
    return node.empty() ? torch::Tensor() : node.mapped();
  };
  checkpoint.generators = {take(kCpuGenerator), take(kDeviceGenerator)};
  if (!checkpoint.generators.cpu.defined())
    throw Error(ExitCode::kBadData, (folder / kOptimizer).string() + ": no generator");
  return checkpoint;
}

// Runs `action`, which changes or lists files below `folder`; a failure is one of the environment.
void on_disk(const fs::path& folder, const std::function<void()>& action) {
  try {
    action();
  } catch (const fs::filesystem_error& error) {
    const std::string message = "cannot keep checkpoints in " + folder.string() + ": " + error.what();
    if (is_disk_full(error.code().value())) throw DiskFull(message);
    throw Error(ExitCode::kEnvironment, message,
                "make that folder one that can be written and read; the same command then goes on");
  }
}

// The folder of the best model that a checkpoint names; "" when it has none, or cannot be read.
std::string best_name_in(const fs::path& folder) {
  try {
    const Checkpoint checkpoint = state_from_json(read_small(folder / kState));
    const std::vector<std::int64_t>& best = checkpoint.progress.best_checkpoint;
    return best.size() == 2 ? folder_name(best[0], best[1]) : "";
  } catch (const std::exception&) {
    return "";
  }
}

void write_checkpoint(const fs::path& store, const Checkpoint& checkpoint) {
  const std::string name = folder_name(checkpoint.progress.epoch, checkpoint.progress.batch);
  const fs::path target = store / name, unfinished = store / (".unfinished-" + name);
  fs::remove_all(unfinished);
  fs::create_directories(unfinished);
  Json manifest{{"schema", kSchema}};
  weights::TensorMap optimizer = checkpoint.optimizer;
  optimizer[kCpuGenerator] = checkpoint.generators.cpu;
  if (checkpoint.generators.device.defined()) optimizer[kDeviceGenerator] = checkpoint.generators.device;
  write_part(unfinished, kModel, weights::encode_safetensors(checkpoint.model), manifest);
  write_part(unfinished, kOptimizer, weights::encode_safetensors(optimizer), manifest);
  write_part(unfinished, kState, state_to_json(checkpoint).dump(2) + "\n", manifest);
  write_file_atomically(unfinished / kManifest, manifest.dump(2) + "\n");
  fs::remove_all(target);
  fs::rename(unfinished, target);
}

// `all` is ordered from the newest on.
void remove_unneeded(const fs::path& store, const std::vector<fs::path>& all) {
  std::set<std::string> needed;
  for (std::size_t i = 0; i < std::min(all.size(), kKept); ++i) {
    needed.insert(all[i].filename());
    needed.insert(best_name_in(all[i]));
  }
  for (const fs::path& folder : all)
    if (!needed.contains(folder.filename())) fs::remove_all(folder);
  for (const auto& entry : fs::directory_iterator(store))
    if (entry.path().filename().string().starts_with(".unfinished-")) fs::remove_all(entry.path());
}

}  // namespace

CheckpointStore::CheckpointStore(fs::path folder) : folder_(std::move(folder)) {
  on_disk(folder_, [&] { fs::create_directories(folder_); });
}

void CheckpointStore::clear() {
  on_disk(folder_, [&] {
    for (const fs::path& folder : newest_first()) fs::remove_all(folder);
  });
}

void CheckpointStore::save(const Checkpoint& checkpoint) {
  on_disk(folder_, [&] {
    write_checkpoint(folder_, checkpoint);
    remove_unneeded(folder_, newest_first());
  });
}

std::vector<fs::path> CheckpointStore::newest_first() const {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error))
    if (entry.is_directory() && entry.path().filename().string().starts_with("at-"))
      folders.push_back(entry.path());
  std::sort(folders.rbegin(), folders.rend());
  return folders;
}

std::optional<Checkpoint> CheckpointStore::load_newest(std::vector<std::string>& notes) const {
  std::vector<fs::path> folders;
  on_disk(folder_, [&] { folders = newest_first(); });
  for (const fs::path& folder : folders) {
    try {
      Checkpoint checkpoint = read_checkpoint(folder);
      check_best(checkpoint.progress, folder);
      return checkpoint;
    } catch (const std::exception& error) {
      const auto* known = dynamic_cast<const Error*>(&error);
      if (known && known->code() == ExitCode::kConflict)
        throw Error(known->code(), folder.string() + ": " + known->what(), known->hint());
      notes.push_back("checkpoint " + folder.string() + " is passed over: " + error.what());
    }
  }
  return std::nullopt;
}

void CheckpointStore::check_best(const Progress& progress, const fs::path& own) const {
  const std::vector<std::int64_t>& best = progress.best_checkpoint;
  if (best.size() != 2) return;
  const fs::path folder = folder_ / folder_name(best[0], best[1]);
  if (folder == own) return;  // it has just been read
  try {
    read_part(folder, kModel, read_small(folder / kManifest));
  } catch (const std::exception& error) {
    throw Error(ExitCode::kBadData,
                "the best model so far, which it names, is lost: " + std::string(error.what()));
  }
}

weights::TensorMap CheckpointStore::best_model(const Progress& progress) const {
  const std::vector<std::int64_t>& best = progress.best_checkpoint;
  TUNE_CHECK(best.size() == 2);
  const fs::path folder = folder_ / folder_name(best[0], best[1]);
  try {
    const std::string bytes = read_part(folder, kModel, read_small(folder / kManifest));
    return weights::decode_safetensors(bytes, (folder / kModel).string()).tensors;
  } catch (const std::exception& error) {
    throw Error(ExitCode::kEnvironment, "the best checkpoint cannot be read: " + std::string(error.what()),
                "remove the folder " + folder_.string() + " and train again");
  }
}

}  // namespace tune::trainer::loop

#include "trainer/loop/checkpoint.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>

#include "trainer/weights/file_reader.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/regular_file.h"
#include "tuner/os/sha256.h"

namespace fs = std::filesystem;

namespace tune::trainer::loop {
namespace {

constexpr const char* kModel = "model.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char* kState = "state.json";
constexpr const char* kManifest = "manifest.json";
constexpr const char *kCpuGenerator = "generator", *kDeviceGenerator = "device_generator";
// 1 knew neither steps nor weights of batches, 2 had another checksum.
constexpr int kSchema = 3;
constexpr std::size_t kKept = 2;  // the newest, and the one before it in case that is damaged; and their best

std::string folder_name(std::int64_t epoch, std::int64_t batch) {
  char text[64];
  std::snprintf(text, sizeof text, "at-%06lld-%09lld", static_cast<long long>(epoch),
                static_cast<long long>(batch));
  return text;
}

// From here to state_from_json(): state.json.
Json numbers_to_json(const std::vector<double>& numbers) {
  Json json = Json::array();
  for (const double number : numbers) json.push_back(number_to_json(number));
  return json;
}

std::vector<double> numbers_from_json(const Json& json) {
  std::vector<double> numbers;
  for (const Json& number : json) numbers.push_back(number_from_json(number));
  return numbers;
}

Json report_to_json(const Report& report) {
  Json metrics = Json::object();
  for (const auto& [name, value] : report.metrics) metrics[name] = number_to_json(value);
  return {{"epoch", report.epoch},
          {"step", report.step},
          {"losses", numbers_to_json(report.losses)},
          {"metrics", metrics}};
}

Report report_from_json(const Json& json) {
  Report report;
  report.epoch = json.at("epoch").get<std::int64_t>();
  report.step = json.at("step").get<std::int64_t>();
  report.losses = numbers_from_json(json.at("losses"));
  for (const auto& [name, value] : json.at("metrics").items()) report.metrics[name] = number_from_json(value);
  return report;
}

Json optional_report(const std::optional<Report>& report) {
  return report ? report_to_json(*report) : Json();
}

std::optional<Report> optional_report(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(report_from_json(json));
}

Json losses_to_json(const LossSums& losses) {
  return {{"sums", numbers_to_json(losses.sums)}, {"weight", losses.weight}};
}

LossSums losses_from_json(const Json& json) {
  return {numbers_from_json(json.at("sums")), json.at("weight").get<double>()};
}

Json state_to_json(const Checkpoint& checkpoint) {
  const Progress& progress = checkpoint.progress;
  return {{"epoch", progress.epoch},
          {"batch", progress.batch},
          {"step", progress.step},
          {"reported", losses_to_json(progress.reported)},
          {"logged", losses_to_json(progress.logged)},
          {"last", optional_report(progress.last)},
          {"best", optional_report(progress.best)},
          {"without_gain", progress.without_gain},
          {"to_surpass", progress.to_surpass ? number_to_json(*progress.to_surpass) : Json()},
          {"best_checkpoint", progress.best_checkpoint},
          {"fingerprint", checkpoint.fingerprint},
          {"precision", checkpoint.precision},
          {"base", {{"from", checkpoint.base.from}, {"sha256", checkpoint.base.sha256}}}};
}

// All but the tensors. Throws nlohmann's exceptions for a document of another form.
Checkpoint state_from_json(const Json& json) {
  Checkpoint checkpoint;
  Progress& progress = checkpoint.progress;
  progress.epoch = json.at("epoch").get<std::int64_t>();
  progress.batch = json.at("batch").get<std::int64_t>();
  progress.step = json.at("step").get<std::int64_t>();
  progress.reported = losses_from_json(json.at("reported"));
  progress.logged = losses_from_json(json.at("logged"));
  progress.last = optional_report(json.at("last"));
  progress.best = optional_report(json.at("best"));
  progress.without_gain = json.at("without_gain").get<std::int64_t>();
  if (!json.at("to_surpass").is_null()) progress.to_surpass = number_from_json(json.at("to_surpass"));
  progress.best_checkpoint = json.at("best_checkpoint").get<std::vector<std::int64_t>>();
  checkpoint.fingerprint = json.at("fingerprint").get<std::string>();
  checkpoint.precision = json.at("precision").get<std::string>();
  checkpoint.base = {json.at("base").at("from").get<std::string>(),
                     json.at("base").at("sha256").get<std::string>()};
  return checkpoint;
}

// `write` hands the content out piece by piece.
void write_part(const fs::path& folder, const char* name, Json& manifest,
                const std::function<void(const weights::TakePiece&)>& write) {
  AtomicFile file(folder / name);
  Sha256 hash;
  std::uint64_t bytes = 0;
  write([&](std::string_view piece) {
    file.add(piece);
    hash.add(piece);
    bytes += piece.size();
  });
  file.commit();
  manifest["files"][name] = {{"bytes", bytes}, {"sha256", hash.hex()}};
}

void write_tensors(const fs::path& folder, const char* name, Json& manifest,
                   const weights::TensorMap& tensors) {
  write_part(folder, name, manifest, [&](const weights::TakePiece& take) {
    weights::encode_safetensors(tensors, /*metadata=*/{}, take);
  });
}

Json read_small(const fs::path& file) {
  constexpr std::uint64_t kMost = 64'000'000;
  JsonFile read = read_json_file(file, kMost);
  if (!read.is_there || !read.spoilt.empty())
    throw Error(ExitCode::kBadData,
                read.spoilt.empty() ? "there is no file \"" + file.string() + "\"" : read.spoilt);
  return std::move(read.value);
}

// A file of a complete checkpoint, read once and piece by piece. It lies in a folder that others may write.
class Part {
 public:
  // Throws Error(kBadData) when there is none of the size that was written.
  Part(const fs::path& folder, const char* name, const Json& manifest)
      : path_(folder / name),
        entry_(manifest.at("files").at(name)),
        file_(path_, Links::kRefuse),
        left_(file_.size()) {
    if (entry_.at("bytes") != file_.size()) refuse();
  }
  void read(char* to, std::size_t count) {
    file_.read(to, count);
    hash_.add({to, count});
    left_ -= count;
  }
  // What has not been read yet. Throws Error(kBadData) when the whole is not what was written.
  void check_rest() {
    std::vector<char> block(1 << 20);
    while (left_ > 0) read(block.data(), std::min<std::uint64_t>(left_, block.size()));
    if (entry_.at("sha256") != hash_.hex()) refuse();
  }
  weights::TensorMap tensors() {
    weights::SafetensorsContent content = weights::decode_safetensors(
        left_, [this](char* to, std::size_t count) { read(to, count); }, path_.string());
    check_rest();
    return std::move(content.tensors);
  }

 private:
  [[noreturn]] void refuse() const {
    throw Error(ExitCode::kBadData, path_.string() + ": not what was written");
  }

  fs::path path_;
  Json entry_;
  weights::FileReader file_;
  Sha256 hash_;
  std::uint64_t left_;  // to read
};

Checkpoint read_checkpoint(const fs::path& folder) {
  const Json manifest = read_small(folder / kManifest);
  if (manifest.at("schema") != kSchema)
    throw Error(ExitCode::kConflict,
                "another version of tune-train wrote it (format " + manifest.at("schema").dump() +
                    "; this one reads " + std::to_string(kSchema) + ")",
                "finish the training with that version, or remove the folder " +
                    folder.parent_path().string() + " to start it again");
  Part(folder, kState, manifest).check_rest();
  Checkpoint checkpoint = state_from_json(read_small(folder / kState));
  checkpoint.model = Part(folder, kModel, manifest).tensors();
  checkpoint.optimizer = Part(folder, kOptimizer, manifest).tensors();
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
  write_tensors(unfinished, kModel, manifest, checkpoint.model);
  write_tensors(unfinished, kOptimizer, manifest, optimizer);
  write_part(unfinished, kState, manifest,
             [&](const weights::TakePiece& take) { take(state_to_json(checkpoint).dump(2) + "\n"); });
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
    if (entry.path().filename().string().starts_with("at-") && entry.is_directory(error))
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
    Part(folder, kModel, read_small(folder / kManifest)).check_rest();
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
    return Part(folder, kModel, read_small(folder / kManifest)).tensors();
  } catch (const std::exception& error) {
    throw Error(ExitCode::kEnvironment, "the best checkpoint cannot be read: " + std::string(error.what()),
                "remove the folder " + folder_.string() + " and train again");
  }
}

}  // namespace tune::trainer::loop

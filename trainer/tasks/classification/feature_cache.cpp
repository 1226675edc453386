#include "trainer/tasks/classification/feature_cache.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <ostream>

#include "trainer/data/cache_lock.h"
#include "trainer/data/overlap_cache.h"
#include "trainer/weights/safetensors.h"
#include "tuner/core/error.h"
#include "tuner/os/sha256.h"

namespace fs = std::filesystem;

namespace tune::trainer::classification {
namespace {

constexpr const char *kFeatures = "features", *kEnding = ".safetensors", *kLock = ".lock",
                     *kLimit = "TUNE_FEATURE_CACHE_MB";

// The format has no checksum of its own.
std::string checksum_of(const torch::Tensor& packed) {
  Sha256 hash;
  hash.add({static_cast<const char*>(packed.data_ptr()), packed.nbytes()});
  return hash.hex();
}

bool are_features(const torch::Tensor& tensor, std::int64_t rows) {
  return tensor.scalar_type() == torch::kFloat && tensor.dim() >= 2 && tensor.size(0) == rows;
}

std::uint64_t limit_of_user() {
  const char* text = std::getenv(kLimit);
  if (!text || !*text) return FeatureCache::kMostBytes;
  const std::string value = text;
  std::uint64_t megabytes = 0;
  const auto [rest, error] = std::from_chars(value.data(), value.data() + value.size(), megabytes);
  if (error != std::errc() || rest != value.data() + value.size() || megabytes > (std::uint64_t{1} << 40))
    throw Error(ExitCode::kUsage, std::string(kLimit) + " is \"" + value + "\"",
                "it is a whole number of megabytes; 0 keeps no features");
  return megabytes << 20;
}

}  // namespace

FeatureCache::FeatureCache(fs::path folder, std::uint64_t most_bytes, std::ostream& notes,
                           std::function<bool()> interrupted)
    : folder_(std::move(folder)),
      most_bytes_(most_bytes),
      notes_(notes),
      interrupted_(std::move(interrupted)) {
  if (most_bytes_ == 0) folder_.clear();
  if (folder_.empty()) return;
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) give_up(folder_.string() + ": " + error.message());
}

FeatureCache FeatureCache::of_user(std::ostream& notes, std::function<bool()> interrupted) {
  const fs::path folder = data::user_cache_folder();
  return {folder.empty() ? folder : folder / kFeatures, limit_of_user(), notes, std::move(interrupted)};
}

void FeatureCache::give_up(const std::string& reason) {
  folder_.clear();
  notes_ << "note: features are not kept for the next time: " << reason << std::endl;
}

fs::path FeatureCache::file_of(const std::string& key) const { return folder_ / (key + kEnding); }

torch::Tensor FeatureCache::get(const std::string& key, std::int64_t rows,
                                const std::function<torch::Tensor()>& compute) {
  TUNE_CHECK(key.size() == 64, key);
  std::optional<data::CacheLock> lock;
  if (!folder_.empty()) {
    // One for all keys that begin alike, so that locks do not become ever more.
    const fs::path file = folder_ / (key.substr(0, 2) + kLock);
    lock.emplace(file, &notes_, "another process computes features; waiting for them", interrupted_);
    if (!lock->is_there()) give_up(file.string() + " cannot be written");
  }
  if (!folder_.empty())
    if (torch::Tensor kept = load(key, rows); kept.defined()) return kept;
  torch::Tensor computed = compute().to(torch::kCPU).contiguous();
  TUNE_CHECK(are_features(computed, rows));
  if (!folder_.empty()) save(key, computed);
  return computed;
}

torch::Tensor FeatureCache::load(const std::string& key, std::int64_t rows) const {
  const fs::path file = file_of(key);
  std::error_code error;
  if (!fs::exists(file, error)) return {};
  try {
    weights::SafetensorsContent content = weights::read_safetensors(file);
    const auto found = content.tensors.find(kFeatures);
    if (found != content.tensors.end() && content.metadata["key"] == key &&
        content.metadata["sha256"] == checksum_of(found->second) && are_features(found->second, rows)) {
      fs::last_write_time(file, fs::file_time_type::clock::now(), error);  // used: it is not the oldest now
      return found->second;
    }
    notes_ << "warning: " << file.string() << " is not what was written, so its features are computed anew"
           << std::endl;
  } catch (const Error& unreadable) {
    notes_ << "warning: kept features are damaged and computed anew: " << unreadable.what() << std::endl;
  }
  return {};
}

void FeatureCache::save(const std::string& key, const torch::Tensor& tensor) {
  if (tensor.nbytes() > most_bytes_)
    return give_up("they are " + std::to_string(tensor.nbytes() >> 20) + " MB, and " + kLimit + " is " +
                   std::to_string(most_bytes_ >> 20));
  const fs::path file = file_of(key);
  try {
    weights::write_safetensors(file, {{kFeatures, tensor}}, {{"key", key}, {"sha256", checksum_of(tensor)}});
    remove_oldest(/*but=*/file);
  } catch (const Error& error) {
    give_up(error.what());
  }
}

void FeatureCache::remove_oldest(const fs::path& but) const {
  struct Kept {
    fs::file_time_type used;
    fs::path file;
    std::uint64_t bytes;
  };
  std::vector<Kept> all;
  std::uint64_t sum = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    if (entry.path().extension() == kLock) continue;  // all else goes in its turn, also what a crash left
    // Another process may remove the same files at the same time.
    std::error_code gone;
    const Kept kept{entry.last_write_time(gone), entry.path(), entry.file_size(gone)};
    if (gone) continue;
    sum += kept.bytes;
    if (kept.file != but) all.push_back(kept);
  }
  std::sort(all.begin(), all.end(), [](const Kept& a, const Kept& b) { return a.used < b.used; });
  for (const Kept& oldest : all) {
    if (sum <= most_bytes_) return;
    fs::remove(oldest.file, error);
    sum -= oldest.bytes;
  }
}

}  // namespace tune::trainer::classification

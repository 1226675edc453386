#pragma once
// What a frozen network makes of examples, kept for the user between trials and processes.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>

#include "trainer/torch_compat.h"

namespace tune::trainer::classification {

// One tensor under a key, each in a file of its own, of which those that were used last stay as long as all
// together are not too large. Used by whoever computes features, on one thread. Without a folder, or where it
// cannot be written, a tensor is computed each time, which a note says; a damaged file is named, and its
// tensor computed anew.
class FeatureCache {
 public:
  // `interrupted` ends the wait for another process that computes the same. It may be empty.
  FeatureCache(std::filesystem::path folder, std::uint64_t most_bytes, std::ostream& notes,
               std::function<bool()> interrupted);
  // $XDG_CACHE_HOME/tune/features, else $HOME/.cache/tune/features, of at most kMostBytes, or
  // TUNE_FEATURE_CACHE_MB. Throws Error(kUsage) where that is no number.
  static FeatureCache of_user(std::ostream& notes, std::function<bool()> interrupted);

  static constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30;

  // The tensor of `rows` rows that is kept under `key`, 64 hexadecimal digits, or what `compute` gives, which
  // is kept then. While one process computes it, others that want it wait. On the CPU.
  torch::Tensor get(const std::string& key, std::int64_t rows, const std::function<torch::Tensor()>& compute);

 private:
  std::filesystem::path file_of(const std::string& key) const;
  // Undefined where there is none, or it is damaged.
  torch::Tensor load(const std::string& key, std::int64_t rows) const;
  void save(const std::string& key, const torch::Tensor& tensor);
  void remove_oldest(const std::filesystem::path& but) const;
  void give_up(const std::string& reason);

  std::filesystem::path folder_;  // empty: nothing is kept
  std::uint64_t most_bytes_;
  std::ostream& notes_;
  std::function<bool()> interrupted_;
};

}  // namespace tune::trainer::classification

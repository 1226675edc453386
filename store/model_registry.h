#pragma once
// The registry of promoted models: STORE/models/registry.db, in rollback-journal mode, since several
// orchestrators write it. Files live in STORE/models/NAME/versions/V; the database is the truth, the link
// STORE/models/NAME/current is rebuilt.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/open_mode.h"
#include "tuner/core/clock.h"
#include "tuner/core/history.h"

namespace tune::store {

// Schema version that this program writes.
inline constexpr int kRegistrySchemaVersion = 1;

struct ModelFile {
  std::string path;  // relative to the version's folder, '/' between parts
  std::uint64_t bytes = 0;
  std::string sha256;  // hexadecimal
};

struct ModelVersion {
  std::string model;
  int version = 0;  // 1, 2, ...
  WallTime created{};
  std::string study;
  int trial = 0;
  Objective objective;
  double value = 0;               // the objective that it was promoted on
  Json lineage = Json::object();  // parameters, metrics, argv, data fingerprint, parent weights, code commit,
                                  // versions, GPU, ...
  std::vector<ModelFile> files;
};

struct Promotion {
  std::string model;
  int from = 0, to = 0;  // 0: none before
  std::string reason;
  Json evidence = Json::object();  // the values that the rule compared
  WallTime time{};
};

// The models of a store and their versions, in a database that several orchestrators write. Owned by a
// command or a promotion, used by one thread at a time. Copies no files: that is promotion's work.
class ModelRegistry {
 public:
  // kCreate makes the file where there is none; else Error(kNotFound). kRead writes nothing and migrates
  // nothing. A call waits up to `busy_timeout` for other writers, then Error(kConflict).
  ModelRegistry(const std::filesystem::path& file, OpenMode mode,
                Milliseconds busy_timeout = Milliseconds(10'000));
  ~ModelRegistry();
  ModelRegistry(ModelRegistry&&) noexcept;

  int next_version(const std::string& model) const;
  // Inserts the version with its files. Error(kConflict) when that number exists.
  void insert_version(const ModelVersion& version);
  // Points `current` at `promotion.to` if it still is `promotion.from`, and logs it: Error(kConflict)
  // otherwise.
  void promote(const Promotion& promotion);
  std::vector<std::string> models() const;
  std::vector<ModelVersion> versions(const std::string& model) const;  // newest first
  std::optional<ModelVersion> current(const std::string& model) const;
  std::vector<Promotion> promotions(const std::string& model) const;  // oldest first

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tune::store

#pragma once
// The registry of models: STORE/models/registry.db, in rollback-journal mode, since several orchestrators
// write it. Files live in STORE/models/NAME/versions/V; the database is the truth, the link
// STORE/models/NAME/current is rebuilt.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/open_mode.h"
#include "tuner/core/clock.h"
#include "tuner/core/error.h"
#include "tuner/core/history.h"
#include "tuner/core/model_reference.h"

namespace tune::store {

// Schema version that this program writes.
inline constexpr int kRegistrySchemaVersion = 2;

struct ModelFile {
  std::string path;  // relative to the version's folder, '/' between parts
  std::uint64_t bytes = 0;
  std::string sha256;  // hexadecimal
};

// What a person has said about using a version: its last word.
enum class Approval { kPending, kApproved, kRejected };
const char* to_string(Approval approval);  // "pending", "approved", "rejected"

struct ModelVersion {
  std::string model;
  int version = 0;  // 1, 2, ...
  WallTime created{};
  std::string study;  // "": it was brought along (imported, adopted)
  int trial = 0;
  Objective objective;            // its metric "": it was brought along without a value
  double value = 0;               // the objective that it was promoted on
  Json lineage = Json::object();  // parameters, metrics, argv, data fingerprint, parent weights, code commit,
                                  // versions, GPU, ...
  std::vector<ModelFile> files;
  Approval approval = Approval::kPending;
};

// A name that stands for one version at a time.
struct ModelAlias {
  std::string alias;
  int version = 0;
};

enum class PromotionOutcome {
  kMoved,    // the alias names `to` from then on
  kRemoved,  // nothing any more: `to` is 0
  kRefused,  // what it named before: the gate did not let `to` pass
};
const char* to_string(PromotionOutcome outcome);  // "moved", "removed", "refused"

struct Promotion {
  std::string model;
  int from = 0, to = 0;  // 0: none
  std::string reason;
  Json evidence = Json::object();  // the values that the rule compared, and what the gate found
  WallTime time{};
  std::string alias = kCurrentAlias;
  std::string who = {};  // "ada@host"; "" from before it was recorded
  PromotionOutcome outcome = PromotionOutcome::kMoved;
};

enum class RemarkKind { kNote, kPending, kApproved, kRejected, kDeleted };
const char* to_string(RemarkKind kind);  // "note", "pending", "approved", "rejected", "deleted"

// What a person said of a version, or that it was deleted.
struct Remark {
  std::string model;
  int version = 0;
  RemarkKind kind = RemarkKind::kNote;
  std::string text;  // may be empty, but for a note
  std::string who;
  WallTime time{};
};

// What to throw where the registry, which knows those models, has none of that name.
Error unknown_model(const std::string& name, const std::vector<std::string>& known);

// The models of a store and their versions, in a database that several orchestrators write. Owned by a
// command or a promotion, used by one thread at a time. Copies no files: that is promotion's work. A version
// that was deleted keeps its number and its rows, and is seen no more.
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

  // Points the alias at `promotion.to` if it still names `promotion.from`, and logs it: Error(kConflict)
  // otherwise, and for a version that was rejected; Error(kNotFound) without that version.
  void promote(const Promotion& promotion);
  // Takes the alias away if it still names `promotion.from`, and logs it: Error(kConflict) otherwise.
  void remove_alias(const Promotion& promotion);
  // Logs that the gate did not let `promotion.to` pass. The alias stays as it is.
  void record_refusal(const Promotion& promotion);
  // Error(kNotFound) without that version; Error(kConflict) to reject or delete one that an alias names.
  void remark(const Remark& remark);

  std::vector<std::string> models() const;                             // those with a version
  std::vector<ModelVersion> versions(const std::string& model) const;  // newest first
  std::optional<ModelVersion> version(const std::string& model, int number) const;
  std::vector<int> deleted_versions(const std::string& model) const;    // ascending
  std::vector<ModelAlias> aliases(const std::string& model) const;      // by name
  int alias(const std::string& model, const std::string& alias) const;  // the version that it names; 0: none
  std::optional<ModelVersion> current(const std::string& model) const;  // that of the alias `current`
  // The version that a person means. Error(kNotFound) says what there is instead.
  ModelVersion resolve(const ModelReference& reference) const;
  std::vector<Promotion> promotions(const std::string& model) const;  // of all aliases, oldest first
  std::vector<Remark> remarks(const std::string& model) const;        // of all versions, oldest first

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tune::store

#pragma once
// One comparison's record: STORE/comparisons/NAME/comparison.db, in rollback-journal mode with every commit
// on the disk. What was frozen, and how often and with what result it was scored.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/comparison_facts.h"
#include "store/open_mode.h"
#include "tuner/core/clock.h"
#include "tuner/core/json.h"

namespace tune::store {

// Schema version that this program writes.
inline constexpr int kComparisonSchemaVersion = 2;

struct ComparisonRow {
  std::string name;
  Json document;       // as parsed
  std::string text;    // as the user wrote it
  std::string folder;  // where its relative paths start
  WallTime created{};
  Json facts = Json::object();  // as comparison_facts.h has them
};

// A trained model, as it was when all training had ended.
struct FrozenModel {
  int number = 0;        // 1, 2, ...
  std::string approach;  // its name
  std::string role;      // of its study: "defaults", "search", "tuned", ...
  std::string study;
  int trial = 0;
  double validation = 0;    // the objective that it reached
  std::string folder;       // of its files, within the store
  std::string fingerprint;  // SHA-256 over the files' names and contents
};

struct Prediction {
  int model = 0;
  std::string sha256;  // of the file with its detections
  double seconds = 0;  // wall time of the lease
  // What `tune-train predict --json` printed: size and speed of the model. Empty in files of version 1.
  Json facts = Json::object();
};

// One look at the test images.
struct Scoring {
  int number = 0;  // 1, 2, ...; from the look after those that kLooksBefore counts
  WallTime started{};
  std::optional<WallTime> ended;
  Json result;  // what `tune-train score` printed; null before the end
};

// Owned by the command that compares or shows, used by one thread at a time. Copies and scores nothing
// itself.
class ComparisonStore {
 public:
  // kCreate makes the file where there is none; else Error(kNotFound). A call waits up to `busy_timeout` for
  // another writer, then Error(kConflict).
  ComparisonStore(const std::filesystem::path& file, OpenMode mode,
                  Milliseconds busy_timeout = Milliseconds(10'000));
  ~ComparisonStore();
  ComparisonStore(ComparisonStore&&) noexcept;

  // nullopt before begin() has run.
  std::optional<ComparisonRow> comparison() const;
  void begin(const ComparisonRow& row);  // in place of what was there; not once models are frozen
  void update_facts(const Json& facts);

  // All at once, and once: Error(kConflict) when models are frozen already. `facts` are recorded with them.
  void freeze(const std::vector<FrozenModel>& models, const Json& facts);
  std::vector<FrozenModel> models() const;  // by number; empty before they are frozen

  // Begins the next one; Error(kConflict) while one has not ended.
  int begin_scoring(WallTime now);
  void insert_prediction(int scoring,
                         const Prediction& prediction);             // in place of an earlier one of the model
  std::vector<Prediction> predictions(int scoring) const;           // by model
  void end_scoring(int scoring, const Json& result, WallTime now);  // it never changes after that
  std::vector<Scoring> scorings() const;                            // by number

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tune::store

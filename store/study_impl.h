#pragma once
// What a StudyStore is made of. Internal to the store.
#include <map>
#include <string>

#include "store/connection.h"
#include "store/study_store.h"

namespace tune::store {

// Event: {"sums": {"seconds:validation": 12.5}} of an attempt whose points are gone.
inline constexpr const char* kMetricsRemoved = "metrics_removed";

struct StudyStore::Impl {
  Impl(const std::filesystem::path& file, OpenMode mode, StoreSettings settings);

  void begin(Durability durability);
  void commit();
  void rollback();
  std::int64_t metric_id(const std::string& name);
  std::int64_t free_step(const MetricRow& row);

  OpenMode mode;
  StoreSettings settings;
  Connection connection;
  int depth = 0;        // of nested transactions
  bool doomed = false;  // an inner transaction was given up: the outer one must not commit
  bool raised = false;  // the open transaction runs with synchronous=FULL
  std::map<std::string, std::int64_t> metric_ids;  // committed or in the open transaction
};

}  // namespace tune::store

#pragma once
// Reads the metrics of finished trials again from their logs, with other regexes than they ran with.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "tuner/core/clock.h"
#include "tuner/engine/attempt/attempt_files.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// What the log of one attempt gives.
struct LogMetrics {
  std::vector<MetricRecord> records;          // in the order of the log; times are not known
  std::map<std::string, UnreadLines> unread;  // by metric
  std::set<std::string> counted;              // metrics whose captured steps were given up for counting
  bool is_cut = false;                        // its middle was dropped when it was written
};
struct LogQuestion {
  std::filesystem::path attempt_folder;
  const std::vector<MetricDefinition>& metrics;
  std::map<std::string, std::int64_t> steps_done;  // where counted steps go on
  std::set<std::string> steps_counted;             // as of LogMetrics, in the attempt before
  bool takes_last_line = true;                     // also without a newline: the program ended by itself
};
// Regexes are somebody else's to know.
using LogReader = std::function<LogMetrics(const LogQuestion&)>;

struct RescanRequest {
  std::filesystem::path store;
  std::string study;
  const Spec& spec;  // the stored one, or one that differs from it in its metrics alone
  std::string spec_text;
  LogReader read_log;
};

struct RescannedTrial {
  store::TrialRow before, after;
};
struct RescanReport {
  std::vector<RescannedTrial> changed;
  int unchanged = 0;
  std::vector<std::string> left_alone;  // sentences: which trials could not be read again, and why
  bool has_new_spec = false;            // the study goes on with the metrics of this spec
};

// All or nothing, in one transaction that survives a power cut. A trial's former state and value stay in its
// event; a trial that a rule or a limit stopped stays stopped. Trials that have not ended are left alone.
// Throws as open_study(); Error(kConflict) for a spec that differs in more than its metrics.
RescanReport rescan_study(const RescanRequest& request, const Clock& clock);

}  // namespace tune::engine

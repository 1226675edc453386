#pragma once
// One study as a server keeps it: read once, then followed.
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "tuner/core/space.h"
#include "tuner/report/numbers/cost.h"
#include "tuner/report/numbers/study_rows.h"
#include "tuner/serve/value_column.h"

namespace tune::serve {

// What changed in a study since somebody asked last.
struct StudyChanges {
  bool any = false, skipped = false;  // skipped: too much to say; all may have changed
  std::set<int> trials;
  std::set<std::string> kinds;  // of events
  std::int64_t last_event = 0;
};

// The rows of a study, without what only one trial's page shows, and its hyperparameters in columns: about a
// kilobyte a trial. Brought up to date by the events of the study and the trials that are open, so that a
// change costs what changed and not what is there. Reads only, each time in one short transaction or several.
// Owned by StudyBook; one thread at a time.
class StudyTable {
 public:
  StudyTable(std::filesystem::path store, std::string study)
      : store_(std::move(store)), name_(std::move(study)) {}

  // To be called before anything else is. Throws what opening a study throws, once it is gone too.
  void refresh();

  const std::string& name() const { return name_; }
  const std::filesystem::path& store_folder() const { return store_; }
  const store::StudyStore& store() const { return *open_; }
  std::uint64_t version() const { return version_; }  // grows with each change that was read
  bool is_read() const { return is_read_; }           // all of it, since it was opened
  // Another number, another study under the name.
  std::uint64_t generation() const { return generation_; }
  bool is_live() const { return is_live_; }  // some `tune` works on it
  // As they are now: running attempts with their time so far, a study whose `tune` was killed interrupted.
  // The trials have neither parameters nor note, and of their explanation who suggested them.
  const report::StudyRows& rows() const { return rows_; }
  const std::optional<SearchSpace>& space() const { return space_; }
  const std::vector<ValueColumn>& parameters() const { return parameters_; }
  ParameterSet parameters_of(int trial) const;
  // Rows whose trials have their parameters too, for what the report computes of them.
  report::StudyRows rows_with_parameters() const;
  std::pair<std::size_t, std::size_t> attempts_of(int trial) const;  // begin and end in rows().attempts
  // Costs that are at most a few moments old: of 50,000 trials they take a while.
  const report::CostReport& costs();
  double device_hours(int trial);
  StudyChanges take_changes();

 private:
  void open_again();
  void read_all();
  void read_changes();
  void take_trial(store::TrialRow row);
  void take_attempts(int first, int last);
  void take_points_of(int trial);
  void show_as_of_now(bool is_locked);

  const std::filesystem::path store_;
  const std::string name_;
  std::optional<store::StudyStore> open_;
  dev_t device_ = 0;
  ino_t file_ = 0;
  std::int64_t data_version_ = 0, last_event_ = 0;
  std::uint64_t version_ = 0, generation_ = 0;
  bool is_read_ = false;
  bool is_live_ = false, is_draining_ = false;
  SteadyTime deployments_read_{};
  store::StudyRow stored_;  // as it is written
  report::StudyRows rows_;
  std::optional<SearchSpace> space_;
  std::vector<ValueColumn> parameters_;
  std::set<int> open_trials_;
  StudyChanges changes_;

  std::optional<report::CostReport> costs_;
  std::vector<double> device_hours_;  // by trial, from 0
  std::uint64_t costs_version_ = 0;
  SteadyTime costs_made_{};
  Milliseconds costs_took_{0};
};

}  // namespace tune::serve

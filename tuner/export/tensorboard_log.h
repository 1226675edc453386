#pragma once
// A study as a folder that TensorBoard shows: a run for each trial, with its metrics and its hyperparameters.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "tuner/core/space.h"
#include "tuner/export/tensorboard_file.h"

namespace tune::exporting {

// FOLDER holds what all trials have in common, FOLDER/trial-00007 what trial 7 says: its metrics by their
// names, its result as "result/METRIC", and its hyperparameters and its end for the plug-in HParams. Owned by
// who follows a study, on one thread. Throws Error(kEnvironment) for what the disk refuses.
class TensorBoardLog {
 public:
  TensorBoardLog(std::filesystem::path folder, const store::StudyRow& study, const SearchSpace& space,
                 WallTime now);

  // A trial begins, for the first time or again.
  void begin_trial(int trial, const ParameterSet& parameters, WallTime now);
  void add_point(int trial, const std::string& metric, const MetricPoint& point, WallTime now);
  // Its values are there if it has any.
  void end_trial(int trial, TrialState state, const std::vector<double>& values, WallTime now);
  // Its attempt has ended, and another may come.
  void leave_trial(int trial) { files_.erase(trial); }

 private:
  const std::filesystem::path folder_;
  const std::string study_;
  std::vector<std::string> result_tags_;  // one an objective
  std::map<int, TensorBoardFile> files_;  // of the trials that run
};

// Writes all that the store has of the study into a folder, which is made and may be there if it is empty:
// Error(kConflict) otherwise.
void export_tensorboard(const std::filesystem::path& folder, const store::StudyStore& study,
                        const SearchSpace& space);
// Whether there is nothing in the folder, or no folder.
bool is_empty_folder(const std::filesystem::path& folder);

}  // namespace tune::exporting

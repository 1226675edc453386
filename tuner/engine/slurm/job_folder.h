#pragma once
// What a study's jobs share beside their attempts' folders: WORK/slurm with the study's mark, the job's
// script and a list for each batch of jobs.
#include <filesystem>
#include <string>
#include <vector>

namespace tune::engine {

// Exit codes of the job's script, where it cannot reach what tells more.
inline constexpr int kFolderUnseen = 87, kSupervisorUnseen = 88;

// Where the trials of a study lie that runs on a cluster: STORE/STUDY without a shared folder, else a folder
// of its own there, which STORE/STUDY/trials links to from then on. Makes it. Throws Error(kEnvironment),
// Error(kConflict) where the study's trials lie elsewhere.
std::filesystem::path work_folder(const std::filesystem::path& study_folder, const std::string& study,
                                  const std::filesystem::path& shared);
// The folder that was made for a study on the shared disk; empty where there is none. It goes with the study.
std::filesystem::path shared_folder_of(const std::filesystem::path& study_folder);

// Owned by the runner, on its thread.
class JobFolder {
 public:
  // Makes it, with the script. Throws Error(kEnvironment).
  explicit JobFolder(const std::filesystem::path& work_folder);

  // Of all jobs of the study, and of no other one's.
  std::string job_name(const std::string& study) const { return "tune-" + study + "-" + mark_; }
  std::filesystem::path script() const { return folder_ / "job.sh"; }
  const std::filesystem::path& path() const { return folder_; }

  // Writes a batch's list: the launch files of its jobs, by their index. Gives the batch's name. Throws
  // Error(kEnvironment).
  std::string write_batch(const std::vector<std::filesystem::path>& launch_files);
  std::filesystem::path batch_file(const std::string& batch) const { return folder_ / "batches" / batch; }
  // Why nothing more can be written there; empty where it can. On the nodes it is the same.
  std::string lack_of_room() const;
  // No job of the batch does anything from now on that has not begun.
  void void_batch(const std::string& batch);

 private:
  std::filesystem::path folder_;
  std::string mark_;  // eight letters
};

}  // namespace tune::engine

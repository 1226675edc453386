#pragma once
// What the parts of a SlurmRunner share: its jobs, the programs that are asked about them, and what people
// are told.
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/core/exit_record.h"
#include "tuner/engine/slurm/cluster_job.h"
#include "tuner/engine/slurm/command_lane.h"
#include "tuner/engine/slurm/job_folder.h"
#include "tuner/engine/slurm/query_pace.h"
#include "tuner/engine/slurm/slurm_commands.h"
#include "tuner/spec/runner_settings.h"

namespace tune::engine {

// Owned by the runner, on its thread.
struct JobBoard {
  // `given_up` and `on_answer` are called on another thread, the second when a program has answered. Throws
  // Error(kEnvironment).
  JobBoard(const SlurmSettings& settings, const std::filesystem::path& work, const std::string& study,
           const std::filesystem::path& supervisor, GivenUp given_up, std::function<void()> on_answer);

  ClusterJob* find(AttemptId id);
  // A sentence that is worth saying once.
  void notice(const std::string& sentence);
  // Of a file server that does not answer, which says nothing about any job.
  void notice_unread(const Error& error);
  // The job is over, as far as Slurm or its files tell. Should a part of it live on, the fence ends that.
  void lose(ClusterJob& job, SteadyTime now, bool may_run_on);
  // Writes the job's number down; without it a later run looks the job up.
  void remember(const ClusterJob& job);
  // Writes exit.json in the place of a supervisor that has not. Where it cannot be written the attempt is
  // lost.
  void write_exit(const ClusterJob& job, ExitRecord record);
  void cancel(const std::vector<std::string>& names, bool waiting_only);  // those that wait alone, if so
  // Whether the trials' disk is full, which is said: jobs wait for room then, and cannot tell anybody.
  bool is_full();
  // No later job goes to the node; `why` follows its name. Those of a list go together.
  void leave_out(const std::string& node, const std::string& why);

  const SlurmSettings settings;
  JobFolder folder;
  const std::filesystem::path supervisor;  // as the nodes find it
  const std::string job_name;
  const GivenUp given_up;  // of every program that is asked
  std::map<AttemptId, ClusterJob> jobs;
  std::set<std::string> nodes_left_out;
  std::vector<std::string> notices;
  std::set<std::string> said;
  QueryPace pace;
  CommandLane lane;  // last: its thread ends first
};

}  // namespace tune::engine

#pragma once
// What squeue says of a study's jobs.
#include <set>
#include <string>
#include <vector>

#include "tuner/engine/slurm/job_board.h"
#include "tuner/engine/slurm/job_submitter.h"
#include "tuner/engine/slurm/slurm_commands.h"

namespace tune::engine {

// Asks about all jobs at once, and seldom. An answer that does not come says nothing about any job. Owned by
// the runner, on its thread.
class QueueWatch {
 public:
  QueueWatch(JobBoard& board, JobSubmitter& submitter) : board_(board), submitter_(submitter) {}

  void work(SteadyTime now);  // asks, if that is due
  SteadyTime due() const;     // of the next call
  bool is_silent() const { return is_silent_; }
  // The job is over, and nothing tells whether its script could begin: its exit code says what that could not
  // reach, and such a node would take one job after another.
  void explain_unseen(const ClusterJob& job);
  // Cancels what Slurm still takes for running though no trial waits for it: it may have lost sight of a
  // node, and the attempt there has long ended. Waits for the answer.
  void end_left_overs() const;

 private:
  void on_answer(const QueueAnswer& answer, SteadyTime asked);
  void take_in(ClusterJob& job, const SlurmJob& listed, SteadyTime now);
  bool has_begun_in_time(ClusterJob& job, const SlurmJob& listed, SteadyTime now);
  std::set<std::string> strangers_in(const QueueAnswer& answer) const;
  void end_strangers(const QueueAnswer& answer);

  JobBoard& board_;
  JobSubmitter& submitter_;
  std::set<std::string> strangers_;
  bool is_asking_ = false, is_silent_ = false;
};

}  // namespace tune::engine

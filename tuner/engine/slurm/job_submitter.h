#pragma once
// How jobs come into Slurm's queue: each once, whatever dies meanwhile.
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tuner/engine/slurm/job_board.h"
#include "tuner/engine/slurm/slurm_commands.h"

namespace tune::engine {

// Submits what is started together as one job array. Its list and submit.json are written first, so that
// whoever finds them later can look the jobs up by their comment. A submission that nobody knows of is looked
// for, then made again under another name, and the first is void: a controller that comes upon it late begins
// nothing twice. Owned by the runner, on its thread.
class JobSubmitter {
 public:
  // `on_refused` is told of an attempt whose job sbatch will never take as it is.
  JobSubmitter(JobBoard& board, std::function<void(AttemptId, const std::string& problem)> on_refused);

  void work(SteadyTime now);  // submits what waits for it, if that is due
  SteadyTime due() const;     // of the next call
  // A job that an earlier orchestrator has submitted, or was about to.
  void take_up(const ClusterJob& job, SteadyTime now);
  // It is known to be in the queue, or to have begun.
  void on_seen(ClusterJob& job, SteadyTime now);
  // The batches that an answer to a question of that time tells of.
  void settle_doubts(const std::set<std::string>& seen, SteadyTime asked);
  // Whether anything was ever submitted.
  bool has_submitted() const { return !batches_.empty(); }

 private:
  // A batch whose submission nobody knows of.
  struct Doubt {
    SteadyTime since;
    int looks = 0;
  };
  void submit(const std::vector<AttemptId>& ids);
  void put_off(SteadyTime now, const std::string& problem);
  void on_answer(const std::string& batch, const Submission& answer, SteadyTime asked);
  std::vector<AttemptId> submitted_in(const std::string& batch) const;
  std::vector<std::string> arguments_of(const std::vector<AttemptId>& ids, const std::string& batch) const;
  std::string with_nodes_left_out(const std::string& problem) const;
  void give_up(const std::string& batch);

  JobBoard& board_;
  const std::function<void(AttemptId, const std::string&)> on_refused_;
  std::map<std::string, std::optional<Doubt>> batches_;  // that have been submitted, or may have been
  std::string under_way_;                                // that sbatch is asked to take; empty: none
  std::size_t most_at_once_;                             // jobs of a submission
  SteadyTime retry_at_{};
  Milliseconds retry_after_;
};

}  // namespace tune::engine

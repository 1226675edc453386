#pragma once
// Slurm's programs: sbatch, squeue, scancel, scontrol, sinfo. Each call runs one of them and reads what it
// prints; nothing is kept between calls. Times are asked for in seconds since 1970, so that no time zone is
// in the way.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/clock.h"

namespace tune::engine {

// Whether nobody waits for an answer any more: the program that is to give it is killed then. Asked many
// times a second, on the thread of the call; empty: somebody always waits.
using GivenUp = std::function<bool()>;

// A job, or one task of a job array, as squeue lists it.
struct SlurmJob {
  std::string id;  // "812", or "812_3" of an array
  int index = 0;   // within its array
  std::string state, reason, nodes, comment;
  std::optional<WallTime> start, end;

  bool is_over() const;  // it will never run any more
};

// What the controller knows. `problem`: it did not answer, so nothing is known.
struct QueueAnswer {
  std::vector<SlurmJob> jobs;
  std::string problem;
};
// All of this user's jobs of that name, also those that have ended lately.
QueueAnswer queued_jobs(const std::string& job_name, const GivenUp& given_up = {});
// The lines of squeue's output.
std::vector<SlurmJob> parse_queue(const std::string& text);

// What has become of a submission.
struct Submission {
  enum class Kind {
    kAccepted,
    kRefused,   // it will never be accepted as it is
    kBusy,      // not accepted now: a quota, a controller that is down
    kDoubtful,  // nobody knows: the controller was asked, and has not answered
  };
  Kind kind = Kind::kRefused;
  std::string job;      // the job's number
  std::string problem;  // what sbatch said
};
// `arguments` follow "sbatch --parsable"; `environment` is added to ours, and reaches the job. In doubt where
// it was given up.
Submission submit_job(const std::vector<std::string>& arguments,
                      const std::map<std::string, std::string>& environment, const GivenUp& given_up = {});
// What an sbatch that failed with this text means.
Submission::Kind refusal_kind(const std::string& text);

// Asks for the end of jobs; of those alone that wait, if so. What Slurm does not know any more is no problem.
// Empty, or what was said.
std::string cancel_jobs(const std::vector<std::string>& jobs, bool waiting_only,
                        const GivenUp& given_up = {});

// What a finished job's script exited with, and on which node, as long as the controller remembers.
struct JobExit {
  int code = 0;
  bool has_run = false;  // to its end, and was not ended
  std::string node;      // of its nodes the one that the script ran on
};
std::optional<JobExit> job_exit(const std::string& job, const GivenUp& given_up = {});

// "2-03:00:00" for --time; whole minutes, upwards.
std::string slurm_duration(Milliseconds time);
// The same read; nullopt for UNLIMITED, NONE and what is no duration.
std::optional<Milliseconds> parse_slurm_duration(const std::string& text);

// "KEY=VALUE KEY=VALUE" of a line of `scontrol --oneliner`.
std::map<std::string, std::string> parse_pairs(const std::string& line);

// Runs one of them. What it printed; `problem` says why there is nothing.
struct SlurmOutput {
  std::string out, problem;
  int exit_code = 0;
  bool timed_out = false;
};
SlurmOutput run_slurm(std::vector<std::string> argv, Milliseconds time_limit, const GivenUp& given_up,
                      const std::map<std::string, std::string>& environment = {});

}  // namespace tune::engine

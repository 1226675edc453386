#include "tuner/engine/slurm/job_board.h"

#include <chrono>
#include <utility>

#include "tuner/engine/attempt/supervisor_process.h"
#include "tuner/engine/slurm/job_records.h"
#include "tuner/os/atomic_file.h"

namespace tune::engine {

namespace fs = std::filesystem;

JobBoard::JobBoard(const SlurmSettings& slurm, const fs::path& work, const std::string& study,
                   const fs::path& program, GivenUp has_been_given_up, std::function<void()> on_answer)
    : settings(slurm),
      folder(work),
      supervisor(fs::absolute(program.empty() ? find_supervisor() : program)),
      job_name(folder.job_name(study)),
      given_up(std::move(has_been_given_up)),
      pace(std::chrono::steady_clock::now()),
      lane(std::move(on_answer)) {}

ClusterJob* JobBoard::find(AttemptId id) {
  const auto found = jobs.find(id);
  return found == jobs.end() ? nullptr : &found->second;
}

void JobBoard::notice(const std::string& sentence) {
  if (said.insert(sentence).second) notices.push_back(sentence);
}

void JobBoard::notice_unread(const Error& error) {
  notice(std::string("the files of jobs cannot be read, and are tried again: ") + error.what() +
         (error.hint().empty() ? "" : "; " + error.hint()));
}

void JobBoard::lose(ClusterJob& job, SteadyTime now, bool may_run_on) {
  job.is_gone = true;
  job.may_run_on = may_run_on;
  job.gone_since = now;
  job.next_look = now;
  try {
    write_fence(job.folder);
  } catch (const Error& error) {
    notice(error.what());
  }
}

void JobBoard::remember(const ClusterJob& job) {
  try {
    write_submit(job.folder, {job.token, job.batch, job.index, job.job, job.submitted_at});
  } catch (const Error& error) {
    notice(error.what());
  }
}

void JobBoard::write_exit(const ClusterJob& job, ExitRecord record) {
  record.token = job.token;
  try {
    write_file_atomically(job.folder / kExitFile, exit_json(record).dump() + "\n");
  } catch (const Error& error) {
    notice(error.what());
  }
}

void JobBoard::cancel(const std::vector<std::string>& names, bool waiting_only) {
  if (names.empty()) return;
  lane.add([this, names, waiting_only]() -> CommandLane::Then {
    const std::string problem = cancel_jobs(names, waiting_only, given_up);
    return [this, problem] {
      if (!problem.empty() && !given_up()) notice("scancel failed, and is tried again: " + problem);
    };
  });
}

bool JobBoard::is_full() {
  const std::string problem = folder.lack_of_room();
  if (!problem.empty())
    notice("the trials' folder is full, or a quota of it is used up, and jobs wait for room there: " +
           problem + ". Free some, or have the quota raised");
  return !problem.empty();
}

void JobBoard::leave_out(const std::string& node, const std::string& why) {
  if (nodes_left_out.insert(node).second)
    notice("node " + node + " " + why + ". Jobs go to other nodes until this run ends");
}

}  // namespace tune::engine

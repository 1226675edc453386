#pragma once
// A real Slurm cluster of two nodes on this machine, and studies whose trials are its jobs.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

#include "e2e/study_fixture.h"
#include "support/skip.h"

namespace tune::tests {

// One for the whole program: it takes seconds to start. Ends with it, also where it is killed.
class Cluster {
 public:
  static Cluster& get() {
    static Cluster cluster;
    return cluster;
  }
  // Why there is none; empty where there is one.
  const std::string& missing() const { return missing_; }
  // Begins every command line.
  std::string environment() const { return ". " + folder() + "/environment; "; }
  std::string folder() const { return (folder_.path() / "cluster").string(); }
  // Starts daemons again that a test has killed.
  std::string script(const std::string& words) const {
    return std::string(TUNE_SOURCE_DIR) + "/examples/slurm/cluster.sh " + words;
  }

 private:
  Cluster() {
    // Three for each process.
    const std::string port = "CLUSTER_PORT=" + std::to_string(20000 + 3 * (::getpid() % 3000)) + " ";
    const ShellResult started = run_shell(port + script("start " + folder()), folder_.path());
    if (started.exit_code == 77) missing_ = started.err;
    if (started.exit_code != 0 && missing_.empty())
      throw std::runtime_error("the cluster does not start: " + started.err);
    // Whatever ends this program, its daemons go too.
    if (missing_.empty())
      run_shell("setsid sh -c 'while kill -0 " + std::to_string(::getpid()) +
                    " 2>/dev/null; do sleep 0.5; done; " + script("stop " + folder()) + "' >/dev/null 2>&1 &",
                folder_.path());
  }
  // Catch has gone by then, and with it what run_shell() needs.
  ~Cluster() {
    if (!missing_.empty()) return;
    if (std::system((script("stop " + folder()) + " >/dev/null 2>&1").c_str()) != 0)
      std::cerr << "the cluster in " << folder() << " did not stop\n";
  }
  TemporaryFolder folder_;
  std::string missing_;
};

// False, and the case is skipped, where there can be no cluster.
inline bool has_cluster() {
  if (Cluster::get().missing().empty()) return true;
  skip(Cluster::get().missing());
  return false;
}

// A study whose trainer, shell lines, says in `ran` which trial and attempt it begins, so that a test sees
// what ran how often. It has trial and attempt as $trial and $attempt.
class SlurmStudy : public StudyFolder {
 public:
  explicit SlurmStudy(const std::string& trainer = "echo loss=0.$1; echo weights > $TUNE_OUTPUT_DIR/weights")
      : StudyFolder(
            "attempt=$(basename $(dirname $TUNE_TRIAL_FILE))\n"
            "trial=$(basename $(dirname $(dirname $(dirname $TUNE_TRIAL_FILE))))\n"
            "echo $trial/$attempt $SLURM_JOB_ID >> ran\n" +
            trainer) {
    spec["resources"]["gpus_per_trial"] = 1;
    spec["limits"] = {{"trials", 6}, {"parallel", 4}};
    spec["runner"] = {{"kind", "slurm"}, {"work", "work"}};
  }
  ShellResult on_cluster(const std::string& line) const { return shell(Cluster::get().environment() + line); }
  ShellResult search(const std::string& options = "") const {
    return on_cluster("tune --spec search.json --store store " + options);
  }
  // Each trial, and how often it was begun.
  std::map<std::string, int> begun() const {
    std::map<std::string, int> counts;
    std::ifstream file(path() / "ran");
    for (std::string line; std::getline(file, line);) ++counts[line.substr(0, line.find('/'))];
    return counts;
  }
  bool each_began_once(std::size_t trials) const {
    const auto counts = begun();
    return counts.size() == trials &&
           std::all_of(counts.begin(), counts.end(), [](const auto& entry) { return entry.second == 1; });
  }
};

inline Json trial_json(const SlurmStudy& study, int number) {
  const ShellResult shown = study.shell("tune show s/" + std::to_string(number) + " --store store --json");
  REQUIRE(shown.exit_code == 0);
  return Json::parse(shown.out);
}

inline bool all_completed(const SlurmStudy& study, std::size_t trials) {
  const Json table = study.table();
  return table.size() == trials &&
         std::all_of(table.begin(), table.end(), [](const Json& row) { return row[2] == "completed"; });
}

// Shell lines that wait, for half a minute at most.
inline std::string until(const std::string& condition) {
  return "for i in $(seq 600); do " + condition + " && break; sleep 0.05; done\n";
}
// The study in the background as $tune.
inline const std::string kStartOnCluster =
    kLikeAtPrompt + "tune --spec search.json --store store >>out 2>>err & tune=$!\n";
inline const std::string kBothIdle =
    until("[ \"$(sinfo --noheader --partition=gpu --states=idle --Node --format=%N | wc -l)\" = 2 ]");
// Nothing of ours is in the queue.
inline const std::string kNoJobs =
    "for i in $(seq 400); do [ -z \"$(squeue --noheader --me)\" ] && break; sleep 0.05; done\n"
    "[ -z \"$(squeue --noheader --me)\" ] || { squeue --me; exit 96; }\n";

}  // namespace tune::tests

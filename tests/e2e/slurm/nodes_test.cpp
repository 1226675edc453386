// Trials on several nodes, and nodes that are not as they should be.
#include "cluster_fixture.h"

namespace tune::tests {
namespace {

TEST_CASE("a trial of two nodes runs its command once on each of them") {
  if (!has_cluster()) return;
  SlurmStudy study(
      "echo $SLURM_PROCID of $SLURM_NTASKS on $SLURMD_NODENAME at $MASTER_ADDR >> ranks\n"
      "echo $PET_NNODES $PET_NPROC_PER_NODE $PET_RDZV_ENDPOINT $((PET_RDZV_ID - SLURM_JOB_ID)) >> meeting\n"
      "echo loss=0.$1");
  study.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  study.spec["runner"]["nodes_per_trial"] = 2;
  const ShellResult run = study.search();
  INFO(run.err);
  CHECK(run.exit_code == 0);
  // The nodes of this cluster are no hosts of their own.
  const std::string first = study.shell("getent hosts n1 >/dev/null && echo n1 || hostname").out;
  CHECK(study.shell("sort ranks").out == "0 of 2 on n1 at " + first + "1 of 2 on n2 at " + first);
  const std::string meeting = study.shell("sort -u meeting").out;
  CHECK(meeting.starts_with("2 1 " + first.substr(0, first.size() - 1) + ":"));
  CHECK(meeting.ends_with(" 0\n"));
  CHECK(trial_json(study, 1).at("attempts").at(0).at("devices").size() == 2);
}

TEST_CASE("a trial of two nodes that is stopped may save its state on both") {
  if (!has_cluster()) return;
  SlurmStudy study(
      "trap 'echo $SLURM_PROCID >> saved; exit 0' TERM\n"
      "echo loss=0.$1; while :; do sleep 0.1; done");
  study.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  study.spec["runner"]["nodes_per_trial"] = 2;
  const ShellResult stopped =
      study.on_cluster(kStartOnCluster + until("[ \"$(wc -l <ran)\" = 2 ]") +
                       "kill -INT $tune; wait $tune; code=$?\n" + kNoJobs + "exit $code");
  INFO(stopped.out << study.shell("cat err store/s/trials/1/attempts/1/log").out);
  CHECK(stopped.exit_code == 130);
  CHECK(study.shell("sort saved").out == "0\n1\n");
}

TEST_CASE("a part of a trial that fails on another node ends all, and the reason names it") {
  if (!has_cluster()) return;
  SlurmStudy study(
      "if [ $SLURM_PROCID = 1 ]; then sleep 0.5; echo no such file; exit 7; fi\n"
      "trap 'echo $SLURM_PROCID >> asked; exit 0' TERM; while :; do sleep 0.05; done");
  study.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  study.spec["runner"]["nodes_per_trial"] = 2;
  const ShellResult run = study.search();
  INFO(run.err);
  CHECK(run.exit_code == 8);
  CHECK(study.shell("cat asked").out == "0\n");
  const std::string reason = trial_json(study, 1).at("reason");
  CHECK(says(reason, "exit code 7: no such file (srun: error: n2: task 1: Exited with exit code 7)"));
  CHECK(study.on_cluster(kNoJobs).exit_code == 0);
}

TEST_CASE("a job of two nodes that a more urgent one pushes off one of them saves its state on both") {
  if (!has_cluster()) return;
  SlurmStudy study(
      "saved=$TUNE_CHECKPOINT_DIR/saved.$SLURM_PROCID; if [ -e $saved ]; then echo loss=0.$1; exit 0; fi\n"
      "trap 'touch $saved; exit 0' TERM; touch up.$SLURM_PROCID; while :; do sleep 0.05; done");
  study.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  study.spec["runner"]["nodes_per_trial"] = 2;
  const ShellResult run =
      study.on_cluster(kStartOnCluster + until("[ -e up.0 ] && [ -e up.1 ]") +
                       "sbatch --parsable --output=/dev/null --partition=urgent --gres=gpu:2 "
                       "--nodelist=n2 --wrap='sleep 1' >/dev/null\nwait $tune");
  INFO(study.shell("cat err").out);
  CHECK(run.exit_code == 0);
  CHECK(all_completed(study, 1));
  const Json shown = trial_json(study, 1);
  INFO(shown.dump(2));
  CHECK(shown.at("attempts").at(0).at("stop") == "terminated");
  CHECK(shown.at("attempts").size() == 2);
}

// The daemon of n2 runs apart as long as it lives: what its lines do to the disk no other node sees.
class NodeApart {
 public:
  explicit NodeApart(const SlurmStudy& study, const std::string& lines) : study_(study) { restart(lines); }
  ~NodeApart() { restart("true"); }
  NodeApart(const NodeApart&) = delete;
  NodeApart& operator=(const NodeApart&) = delete;

 private:
  void restart(const std::string& lines) const {
    const std::string pid = Cluster::get().folder() + "/slurmd-n2.pid";
    study_.on_cluster("old=$(cat " + pid + "); kill $old\n" + until("! kill -0 $old 2>/dev/null") +
                      "unshare -m bash -c '" + lines + " && " +
                      Cluster::get().script("node " + Cluster::get().folder() + " n2") + "'\n" +
                      until("[ -s " + pid + " ] && kill -0 $(cat " + pid + ")") + kBothIdle);
  }
  const SlurmStudy& study_;
};

TEST_CASE("a node that does not see the trials' folder is named and left out, and its trials run elsewhere") {
  if (!has_cluster()) return;
  SlurmStudy study;
  if (study.shell("unshare -m true").exit_code != 0) return skip("this user may not mount in a namespace");
  study.shell("mkdir work");
  const NodeApart apart(study, "mount -t tmpfs none " + (study.path() / "work").string());
  const ShellResult run = study.search();
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(all_completed(study, 6));
  CHECK(study.each_began_once(6));
  CHECK(says(run.err, "node n2 does not see the trials' folder"));
  // A trial that needs both nodes cannot go elsewhere.
  SlurmStudy both;
  both.shell("rm -rf work; ln -s " + (study.path() / "work").string() + " work");
  both.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  both.spec["runner"]["nodes_per_trial"] = 2;
  const ShellResult failed = both.search();
  INFO(failed.err);
  CHECK(failed.exit_code == 8);
  const Json shown = trial_json(both, 1);
  CHECK(shown.at("attempts").size() == 3);
  CHECK(says(shown.at("reason").get<std::string>(), "node n2 does not see"));
}

}  // namespace
}  // namespace tune::tests

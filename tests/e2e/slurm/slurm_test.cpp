// Searches whose trials are jobs of a real Slurm cluster.
#include <algorithm>
#include <set>

#include "cluster_fixture.h"

namespace tune::tests {
namespace {

namespace fs = std::filesystem;

TEST_CASE(
    "a search on the cluster gives what one machine gives, its trials' files lie on the shared folder") {
  if (!has_cluster()) return;
  SlurmStudy study(
      "echo gpu=$CUDA_VISIBLE_DEVICES >> gpus; sleep 0.5; echo loss=0.$1; echo w > $TUNE_OUTPUT_DIR/w");
  study.spec["promote"] = {{"model", "m"}};
  const ShellResult run = study.search();
  INFO(run.out << run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(all_completed(study, 6));
  CHECK(study.each_began_once(6));
  CHECK(study.shell("cat store/models/m/versions/1/w").out == "w\n");
  StudyFolder local;
  local.spec["limits"] = study.spec["limits"];
  REQUIRE(local.run().exit_code == 0);
  CHECK(study.table() == local.table());
  CHECK(fs::is_symlink(study.path() / "store/s/trials"));
  CHECK(fs::is_regular_file(study.path() / "store/s/study.db"));
  CHECK(fs::exists(study.path() / "store/s/trials/1/attempts/1/exit.json"));
  // Slurm's own: each node counts its GPUs from 0.
  const std::set<std::string> lines = [&] {
    std::ifstream file(study.path() / "gpus");
    std::set<std::string> found;
    for (std::string line; std::getline(file, line);) found.insert(line);
    return found;
  }();
  CHECK(lines == std::set<std::string>{"gpu=0", "gpu=1"});
  const Json attempt = trial_json(study, 1).at("attempts").at(0);
  INFO(attempt.dump(2));
  CHECK(says(attempt.at("devices").dump(), "n1:gpu"));
  CHECK(says(attempt.at("job").get<std::string>(), "_0 on n1"));
  CHECK(says(study.shell("tune show s/1 --store store").out, "_0 on n1"));
  CHECK(study.on_cluster(kNoJobs).exit_code == 0);
}

TEST_CASE("kill -9 of tune leaves the jobs alone, and the same command takes them up and begins none twice",
          "[.deaths]") {
  if (!has_cluster()) return;
  SlurmStudy study("while [ ! -e go ]; do sleep 0.05; done; echo loss=0.$1");
  const ShellResult run = study.on_cluster(
      kStartOnCluster + until("[ \"$(wc -l <ran)\" = 4 ]") + "kill -9 $tune; wait $tune; sleep 0.5\n" +
      "tune delete s --yes --store store 2> deleted; echo $? >> deleted\n" + kStartOnCluster +
      "sleep 1; touch go; wait $tune");
  INFO(run.err << study.shell("cat err").out);
  CHECK(run.exit_code == 0);
  // What runs on would write into folders that are gone.
  const std::string deleted = study.shell("cat deleted").out;
  CHECK(says(deleted, "job"));
  CHECK(deleted.ends_with("6\n"));
  CHECK(all_completed(study, 6));
  CHECK(study.each_began_once(6));
  CHECK(study.on_cluster(kNoJobs).exit_code == 0);
}

TEST_CASE("tune may die at any moment of a submission, and each trial is begun once all the same",
          "[.deaths]") {
  if (!has_cluster()) return;
  for (const char* place : {"trial_committed:2", "attempt_recorded:4", "batch_written", "batch_submitted"}) {
    CAPTURE(place);
    SlurmStudy study;
    study.spec["limits"] = {{"trials", 4}, {"parallel", 4}};
    const ShellResult died =
        study.on_cluster("TUNE_CRASH_AT=" + std::string(place) + " tune --spec search.json --store store");
    CHECK(died.exit_code == 137);
    const ShellResult run = study.search();
    INFO(run.err);
    CHECK(run.exit_code == 0);
    CHECK(all_completed(study, 4));
    CHECK(study.each_began_once(4));
  }
}

// A program in the study's folder that stands in for another one, which its lines may call as $real.
void stand_in(const SlurmStudy& study, const std::string& program, const std::string& lines) {
  study.write(program, "#!/bin/sh\ncd " + study.path().string() + "\nreal=$(which -a " + program +
                           " | grep -v \"^$PWD/\" | head -n 1)\n" + lines + "\nexec \"$real\" \"$@\"");
  study.shell("chmod +x " + program);
}
std::string for_trials(const std::string& line) {
  return "case \"$*\" in *--comment=tune:probe-*) ;; *--job-name=tune-s-*) " + line + ";; esac";
}
std::string fails(const std::string& reason) {
  return "echo 'sbatch: error: Batch job submission failed: " + reason + "' >&2; exit 1";
}
const std::string kWithStandIn = "PATH=$PWD:$PATH; tune --spec search.json --store store";

TEST_CASE("a submission that was not answered is looked for, and not made twice", "[.deaths]") {
  if (!has_cluster()) return;
  SlurmStudy study;
  study.spec["limits"] = {{"trials", 2}, {"parallel", 2}};
  // The controller hears the trials' sbatch, and does not answer before it has given up.
  const std::string controller = "$(cat " + Cluster::get().folder() + "/slurmctld.pid)";
  stand_in(study, "sbatch",
           for_trials("[ -e stopped ] || { touch stopped; kill -STOP " + controller + "; }"));
  const ShellResult run =
      study.on_cluster("PATH=$PWD:$PATH; " + kStartOnCluster + until("[ -e stopped ]") +
                       until("grep -q 'did not say' err") + "kill -CONT " + controller + "\nwait $tune");
  INFO(study.shell("cat err").out);
  CHECK(run.exit_code == 0);
  CHECK(all_completed(study, 2));
  CHECK(study.each_began_once(2));
  CHECK(study.on_cluster(kNoJobs).exit_code == 0);
}

TEST_CASE("a quota is named, and its jobs are submitted when it has room") {
  if (!has_cluster()) return;
  SlurmStudy study;
  study.spec["limits"] = {{"trials", 2}, {"parallel", 2}};
  stand_in(study, "sbatch",
           for_trials("[ -e full ] || { touch full; " +
                      fails("Job violates accounting/QOS policy (job submit limit)") + "; }"));
  const ShellResult run = study.on_cluster(kWithStandIn);
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(says(run.err, "cannot be submitted for now"));
  CHECK(says(run.err, "job submit limit"));
  CHECK(study.each_began_once(2));
}

TEST_CASE(
    "Ctrl-C twice ends tune though the controller is silent, and the same command goes on with the study",
    "[.deaths]") {
  if (!has_cluster()) return;
  SlurmStudy study("if [ ! -e go ]; then while :; do sleep 0.05; done; fi; echo loss=0.$1");
  study.spec["limits"] = {{"trials", 6}, {"parallel", 6}};
  const std::string controller = "$(cat " + Cluster::get().folder() + "/slurmctld.pid)";
  const ShellResult left = study.on_cluster(
      kStartOnCluster + until("[ \"$(wc -l <ran)\" = 4 ]") + "kill -STOP " + controller +
      "; kill -INT $tune; sleep 1; kill -INT $tune\n" + until("! kill -0 $tune 2>/dev/null") +
      "kill -0 $tune 2>/dev/null && touch late; kill -CONT " + controller + "; wait $tune");
  INFO(left.out << study.shell("cat err").out);
  CHECK(left.exit_code == 130);
  CHECK_FALSE(fs::exists(study.path() / "late"));
  const ShellResult run = study.on_cluster("touch go; tune --spec search.json --store store");
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(all_completed(study, 6));
  // What waited when the controller fell silent was stopped too, and not lost.
  CHECK(trial_json(study, 6).at("attempts").at(0).at("stop") == "drain");
  CHECK(study.on_cluster(kNoJobs).exit_code == 0);
}

TEST_CASE("what sbatch refuses pauses the study with its reason, and the same command goes on with it") {
  if (!has_cluster()) return;
  SlurmStudy study;
  study.spec["limits"] = {{"trials", 2}, {"parallel", 2}};
  stand_in(study, "sbatch", for_trials(fails("Invalid qos specification")));
  const ShellResult refused = study.on_cluster(kWithStandIn);
  INFO(refused.err);
  CHECK(refused.exit_code == 7);
  CHECK(says(refused.err, "sbatch refused its job"));
  CHECK(says(refused.err, "Invalid qos specification"));
  CHECK(study.begun().empty());
  CHECK(study.search().exit_code == 0);
  CHECK(study.each_began_once(2));
}

TEST_CASE("a node whose clock is apart is named before the first trial") {
  if (!has_cluster()) return;
  const SlurmStudy study;
  stand_in(study, "date", "[ \"$*\" = +%s%3N ] && { echo $(($($real +%s%3N) + 120000)); exit; }");
  const ShellResult run = study.on_cluster(kWithStandIn);
  INFO(run.err);
  CHECK(run.exit_code == 7);
  CHECK(says(run.err, "the clock of node n"));
  CHECK(says(run.err, "ahead of this machine's"));
  CHECK(says(run.err, "chrony"));
  CHECK(study.begun().empty());
}

TEST_CASE("kill -9 of a supervisor, or of a job's script, loses the attempt, and the trial runs again",
          "[.deaths]") {
  if (!has_cluster()) return;
  // The parent of the trainer is its supervisor, whose parent is the script.
  for (const char* victim : {"$PPID", "$(ps -o ppid= -p $PPID)"}) {
    CAPTURE(victim);
    SlurmStudy study("if [ $trial = 2 ] && [ $attempt = 1 ]; then kill -9 " + std::string(victim) +
                     "; sleep 60; fi; echo loss=0.$1");
    study.spec["limits"] = {{"trials", 3}, {"parallel", 2}};
    const ShellResult run = study.search();
    INFO(run.err);
    CHECK(run.exit_code == 0);
    CHECK(all_completed(study, 3));
    CHECK(study.begun() == std::map<std::string, int>{{"1", 1}, {"2", 2}, {"3", 1}});
    CHECK(study.on_cluster(kNoJobs).exit_code == 0);
  }
}

TEST_CASE(
    "a node whose daemons die is given up, and what still runs there is fenced before the trial runs again",
    "[.deaths]") {
  if (!has_cluster()) return;
  SlurmStudy study(
      "if [ $trial = 1 ] && [ $attempt = 1 ]; then echo $$ > old; script=$(ps -o ppid= -p $PPID)\n"
      "ps -o ppid= -p $script > step; echo $SLURMD_NODENAME > node; while :; do sleep 0.1; done; fi\n"
      "if [ $trial = 1 ]; then kill -0 $(cat old) 2>/dev/null && touch both; fi; echo loss=0.$1");
  study.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  const std::string folder = Cluster::get().folder();
  const ShellResult run = study.on_cluster(
      kStartOnCluster + until("[ -e node ]") +
      // The daemon of the node and the one of the job's step.
      "kill -9 $(cat " + folder + "/slurmd-$(cat node).pid) $(cat step)\n" + "wait $tune; code=$?\n" +
      Cluster::get().script("node " + folder + " $(cat node)") + "\n" + kBothIdle + "exit $code");
  INFO(study.shell("cat err").out);
  CHECK(run.exit_code == 0);
  CHECK(all_completed(study, 1));
  CHECK(study.begun() == std::map<std::string, int>{{"1", 2}});
  CHECK_FALSE(fs::exists(study.path() / "both"));
  CHECK(study.on_cluster(kNoJobs).exit_code == 0);
}

TEST_CASE("a job that more urgent ones push aside saves its state, and its trial goes on from there") {
  if (!has_cluster()) return;
  SlurmStudy study(
      "if [ -e $TUNE_CHECKPOINT_DIR/saved ]; then echo loss=0.$1; exit 0; fi\n"
      "trap 'touch $TUNE_CHECKPOINT_DIR/saved; exit 0' TERM; touch up.$trial; while :; do sleep 0.05; done");
  study.spec["limits"] = {{"trials", 2}, {"parallel", 2}};
  study.spec["resources"]["gpus_per_trial"] = 2;
  const ShellResult run = study.on_cluster(kStartOnCluster + until("[ -e up.1 ] && [ -e up.2 ]") +
                                           "sbatch --parsable --output=/dev/null --partition=urgent "
                                           "--gres=gpu:2 --nodes=2 --wrap='sleep 1' >/dev/null\n"
                                           "wait $tune");
  INFO(study.shell("cat err").out);
  CHECK(run.exit_code == 0);
  CHECK(all_completed(study, 2));
  const Json shown = trial_json(study, 1);
  INFO(shown.dump(2));
  CHECK(shown.at("attempts").at(0).at("stop") == "terminated");
}

TEST_CASE("a job that somebody cancels is lost, and its trial runs again") {
  if (!has_cluster()) return;
  SlurmStudy study(
      "if [ $attempt = 1 ]; then echo $SLURM_JOB_ID > job; while :; do sleep 0.05; done; fi; echo loss=0.$1");
  study.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  const ShellResult run =
      study.on_cluster(kStartOnCluster + until("[ -s job ]") + "scancel $(cat job); wait $tune");
  INFO(study.shell("cat err").out);
  CHECK(run.exit_code == 0);
  CHECK(study.begun() == std::map<std::string, int>{{"1", 2}});
}

TEST_CASE("Ctrl-C ends the jobs, waiting ones too, and the same command goes on with the study") {
  if (!has_cluster()) return;
  SlurmStudy study("if [ ! -e go ]; then touch up; while :; do sleep 0.05; done; fi; echo loss=0.$1");
  study.spec["limits"] = {{"trials", 6}, {"parallel", 6}};
  const ShellResult drained =
      study.on_cluster(kStartOnCluster + until("[ \"$(wc -l <ran)\" = 4 ]") +
                       "kill -INT $tune; wait $tune; code=$?\n" + kNoJobs + "exit $code");
  INFO(drained.out << study.shell("cat err").out);
  CHECK(drained.exit_code == 130);
  const ShellResult run = study.on_cluster("touch go; tune --spec search.json --store store");
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(all_completed(study, 6));
}

TEST_CASE(
    "a detached run that is ended leaves its jobs alone; they are taken up, and `tune stop` ends them") {
  if (!has_cluster()) return;
  SlurmStudy study("while [ ! -e go ]; do sleep 0.05; done; echo loss=0.$1");
  const ShellResult left = study.on_cluster(
      "tune --spec search.json --store store --detach --json > detached || exit 95\n" +
      until("[ \"$(wc -l <ran)\" = 4 ]") +
      "pid=$(sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p' detached); kill -TERM $pid\n" +
      until("! kill -0 $pid 2>/dev/null") + "[ \"$(squeue --noheader --me --states=RUNNING | wc -l)\" = 4 ]");
  INFO(left.out << left.err << study.shell("cat store/s/tune.log").out);
  REQUIRE(left.exit_code == 0);
  const ShellResult stopped = study.on_cluster(
      kStartOnCluster + until("tune status s --store store | grep -q 'running: trial 1'") +
      "tune stop s --store store; wait $tune; code=$?; [ \"$(wc -l <ran)\" = 4 ] || exit 94\n" + kNoJobs +
      "exit $code");
  INFO(study.shell("cat err").out);
  CHECK(stopped.exit_code == 130);
  const ShellResult run = study.on_cluster("touch go; tune --spec search.json --store store");
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(all_completed(study, 6));
}

TEST_CASE("a budget of GPU hours counts what jobs have held, and ends a study of jobs") {
  if (!has_cluster()) return;
  SlurmStudy study("echo loss=0.$1; sleep 60");
  study.spec["limits"] = {{"trials", 20}, {"parallel", 2}, {"gpu_hours", 6.0 / 3600}};
  const ShellResult run = study.search();
  INFO(run.out << run.err);
  CHECK(run.exit_code == 0);
  CHECK(says(run.err, "finished: device time limit"));
  CHECK(study.table().size() < 6);
  const Json held = trial_json(study, 1).at("attempts").at(0).at("lease_seconds");
  CHECK(held.get<double>() > 2.0);
  CHECK(held.get<double>() < 5.0);
  CHECK(study.on_cluster(kNoJobs).exit_code == 0);
}

TEST_CASE("rules stop jobs, and a stopped trial keeps what it had reached") {
  if (!has_cluster()) return;
  SlurmStudy study("for i in 1 2 3 4 5 6; do echo loss=$trial.$1; [ $trial -lt 4 ] || sleep 1; done");
  study.spec["early_stopping"] = {{"rule", "median"}};
  study.spec["limits"] = {{"trials", 5}, {"parallel", 1}};
  const ShellResult run = study.search();
  INFO(run.err);
  CHECK(run.exit_code == 0);
  const Json table = study.table();
  CHECK(table[3][2] == "stopped");
  CHECK(table[3][3].is_number());
}

TEST_CASE("what a partition cannot give is refused before anything is submitted, each with its place") {
  if (!has_cluster()) return;
  const SlurmStudy study;
  struct Case {
    const char *pointer, *says;
    Json value;
  };
  for (const Case& each :
       {Case{"/runner/partition", "has no partition \"gpus\"", "gpus"},
        Case{"/runner/partition", "is DOWN", "closed"},
        Case{"/runner/time", "longer than the partition gpu allows", "2h"},
        Case{"/runner/gres", "no node of the partition gpu has gpu:3", "gpu:3"},
        Case{"/runner/nodes_per_trial", "has 2 nodes", 3}, Case{"/runner/cpus", "more than 2 cores", 5}}) {
    SlurmStudy asked;
    asked.spec[Json::json_pointer(each.pointer)] = each.value;
    const ShellResult checked = asked.on_cluster("tune check search.json");
    INFO(each.pointer << checked.err);
    CHECK(checked.exit_code == 3);
    CHECK(says(checked.err, each.says));
    CHECK(says(checked.err, each.pointer));
  }
  SlurmStudy begun;
  begun.spec["runner"]["time"] = "2h";
  CHECK(begun.search().exit_code == 3);
  CHECK(begun.begun().empty());
  const ShellResult checked = study.on_cluster("tune check search.json");
  CHECK(checked.exit_code == 0);
  CHECK(
      says(checked.out,
           "runs on     Slurm's partition gpu, a job for each trial: 1 node, 1 GPU, 1 core, 1h 00m at most; "
           "4 jobs at once"));
  CHECK(says(study.on_cluster("tune check search.json --runner local").out, "runs on     this machine"));
}

TEST_CASE("doctor says what the cluster offers, and that its controller does not answer") {
  if (!has_cluster()) return;
  const SlurmStudy study;
  const ShellResult said = study.on_cluster("tune doctor --store store");
  INFO(said.out);
  CHECK(says(said.out, "partition gpu (the default): UP, 2 nodes of 2 up, 2 cores, gpu:2, jobs of 1h"));
  CHECK(says(said.out, "keeps no accounts"));
  const ShellResult silent =
      study.shell("echo ClusterName=x >conf; SLURM_CONF=$PWD/conf tune doctor --store store");
  CHECK(says(silent.out, "Slurm does not answer"));
}

// What only this process sees of the disk: nodes do not.
ShellResult apart(const SlurmStudy& study, const std::string& lines) {
  return study.on_cluster("unshare -m true 2>/dev/null || exit 77\nunshare -m bash -c '" + lines + "'");
}

TEST_CASE(
    "a folder that nodes do not see, and another version of the programs there, are found by a probe job") {
  if (!has_cluster()) return;
  const SlurmStudy study;
  const ShellResult unseen =
      apart(study, "mkdir -p work; mount -t tmpfs none work; tune --spec search.json --store store");
  if (unseen.exit_code == 77) return skip("this user may not mount in a namespace");
  INFO(unseen.err);
  CHECK(unseen.exit_code == 7);
  CHECK(says(unseen.err, "does not see"));
  CHECK(says(unseen.err, "runner.work"));
  CHECK(study.begun().empty());
  const SlurmStudy other;
  const ShellResult versions =
      apart(other,
            "p=$(command -v tune-supervisor); cp $p mine; echo >> mine; mount --bind mine $p; "
            "tune --spec search.json --store store");
  INFO(versions.err);
  CHECK(versions.exit_code == 7);
  CHECK(says(versions.err, "another version"));
  CHECK(other.begun().empty());
}

TEST_CASE("the example runs on the test cluster") {
  if (!has_cluster()) return;
  const SlurmStudy place;
  const ShellResult run = place.on_cluster(
      "cp -r " + std::string(TUNE_SOURCE_DIR) +
      "/examples/slurm . && tune check slurm/search.json && tune --spec slurm/search.json --store store");
  INFO(run.out << run.err);
  CHECK(run.exit_code == 0);
}

TEST_CASE("a trial that outlasts its job goes on in another from what it has saved", "[.long]") {
  if (!has_cluster()) return;
  SlurmStudy study(
      "n=$(cat $TUNE_CHECKPOINT_DIR/n 2>/dev/null || echo 0)\n"
      "while [ $n -lt 50 ]; do n=$((n + 1)); echo $n > $TUNE_CHECKPOINT_DIR/n; sleep 1; done; echo "
      "loss=0.$1");
  study.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  study.spec["runner"]["time"] = "1m";
  const ShellResult run = study.search();
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(study.begun() == std::map<std::string, int>{{"1", 2}});
  CHECK(trial_json(study, 1).at("attempts").at(0).at("stop") == "job time limit");
}

TEST_CASE("a job that Slurm takes for running and that never begins is given up, and its node left out",
          "[.long]") {
  if (!has_cluster()) return;
  SlurmStudy study("echo $SLURMD_NODENAME > node; echo loss=0.$1");
  study.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  // As on a node where the shared folder hangs, the script gets nowhere.
  stand_in(
      study, "sbatch",
      "options=; for word in \"$@\"; do case $word in --*) options=\"$options $word\";; esac; done\n" +
          for_trials("[ -e hung ] || { touch hung; exec $real $options --nodelist=n1 --wrap='sleep 900'; }"));
  const ShellResult run = study.on_cluster(kWithStandIn);
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(says(run.err, "node n1 has not begun a job within 5m"));
  CHECK(study.shell("cat node").out == "n2\n");
  CHECK(trial_json(study, 1).at("attempts").size() == 2);
  CHECK(study.on_cluster(kNoJobs).exit_code == 0);
}

}  // namespace
}  // namespace tune::tests

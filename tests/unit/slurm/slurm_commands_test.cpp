// What Slurm's programs print, and what it means.
#include <algorithm>
#include <fstream>
#include <vector>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/engine/slurm/cluster.h"
#include "tuner/engine/slurm/cluster_job.h"
#include "tuner/engine/slurm/job_options.h"
#include "tuner/engine/slurm/query_pace.h"
#include "tuner/engine/slurm/slurm_commands.h"

namespace tune::engine {
namespace {

using std::chrono::seconds;

TEST_CASE("squeue's lines give jobs, tasks of arrays among them, with their states, times and comments") {
  const auto jobs = parse_queue(
      "812|RUNNING|None|n1|1796123788|1796127388|tune:ab12\n"
      "813_3|PENDING|Resources||N/A|N/A|tune:cd34\n"
      "814|NODE_FAIL|NodeDown|n2|1796123788|1796123790|tune:ef56\n"
      "a line that is none\n");
  REQUIRE(jobs.size() == 3);
  CHECK(jobs[0].id == "812");
  CHECK(jobs[0].index == 0);
  CHECK_FALSE(jobs[0].is_over());
  CHECK(jobs[0].start == WallTime(seconds(1796123788)));
  CHECK(jobs[1].index == 3);
  CHECK(jobs[1].reason == "Resources");
  CHECK_FALSE(jobs[1].start);
  CHECK(jobs[1].comment == "tune:cd34");
  CHECK(jobs[2].is_over());
  CHECK(jobs[2].end == WallTime(seconds(1796123790)));
}

TEST_CASE("a refusal is told from a lack that may pass, and both from an answer that never came") {
  using Kind = Submission::Kind;
  const std::string failed = "sbatch: error: Batch job submission failed: ";
  CHECK(refusal_kind(failed + "Socket timed out on send/recv operation") == Kind::kDoubtful);
  CHECK(refusal_kind(failed + "Zero Bytes were transmitted or received") == Kind::kDoubtful);
  CHECK(refusal_kind(failed + "Unable to contact slurm controller (connect failure)") == Kind::kBusy);
  CHECK(
      refusal_kind(failed +
                   "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)") ==
      Kind::kBusy);
  CHECK(refusal_kind(failed + "Resource temporarily unavailable") == Kind::kBusy);
  CHECK(refusal_kind(failed + "Invalid job array specification") == Kind::kBusy);
  CHECK(refusal_kind("sbatch: error: invalid partition specified: nope; " + failed +
                     "Invalid partition name specified") == Kind::kRefused);
  CHECK(refusal_kind(failed + "Requested node configuration is not available") == Kind::kRefused);
  CHECK(refusal_kind(failed + "Requested time limit is invalid (missing or exceeds some limit)") ==
        Kind::kRefused);
  CHECK(refusal_kind("sbatch: error: Invalid generic resource (gres) specification") == Kind::kRefused);
}

TEST_CASE("durations are written and read as Slurm has them") {
  CHECK(slurm_duration(seconds(60)) == "0-00:01:00");
  CHECK(slurm_duration(seconds(61)) == "0-00:02:00");
  CHECK(slurm_duration(std::chrono::hours(51)) == "2-03:00:00");
  CHECK(parse_slurm_duration("2-03:00:00") == Milliseconds(std::chrono::hours(51)));
  CHECK(parse_slurm_duration("01:00:00") == Milliseconds(std::chrono::hours(1)));
  CHECK(parse_slurm_duration("30:00") == Milliseconds(std::chrono::minutes(30)));
  CHECK_FALSE(parse_slurm_duration("UNLIMITED"));
  CHECK_FALSE(parse_slurm_duration("NONE"));
}

TEST_CASE("generic resources are counted by name, and by kind where one is asked for") {
  CHECK(gres_count("gpu:2", "gpu") == 2);
  CHECK(gres_count("gpu:a100:4(S:0-1)", "gpu:2") == 4);
  CHECK(gres_count("gpu:a100:4,gpu:v100:2", "gpu:v100:1") == 2);
  CHECK(gres_count("gpu:2", "gpu:a100:1") == 0);
  CHECK(gres_count("(null)", "gpu:1") == 0);
  CHECK(gres_count("shard:8,gpu:1", "gpu:1") == 1);
}

Cluster sample_cluster() {
  Cluster cluster;
  cluster.name = "test";
  cluster.job_age = Milliseconds(300'000);
  cluster.partitions = parse_partitions(
      "PartitionName=gpu AllowGroups=ALL Default=YES DefaultTime=NONE MaxTime=1-00:00:00 State=UP\n"
      "PartitionName=long Default=NO DefaultTime=02:00:00 MaxTime=UNLIMITED State=DOWN\n",
      "gpu|n1|idle|8|gpu:a100:4\ngpu|n2|down*|8|gpu:a100:4\ngpu|n3|mix|16|(null)\nlong|n1|idle|8|gpu:a100:"
      "4\n");
  return cluster;
}

TEST_CASE("partitions have the times that they allow and what their nodes have") {
  const Cluster cluster = sample_cluster();
  REQUIRE(cluster.partitions.size() == 2);
  const Partition* partition = cluster.partition("");
  REQUIRE(partition != nullptr);
  CHECK(partition->name == "gpu");
  CHECK(partition->nodes == 3);
  CHECK(partition->usable_nodes == 2);
  CHECK(partition->most_cpus == 16);
  CHECK(partition->most_time == Milliseconds(std::chrono::hours(24)));
  CHECK(partition->default_time == partition->most_time);
  CHECK(cluster.partition("long")->default_time == Milliseconds(std::chrono::hours(2)));
  CHECK_FALSE(cluster.partition("long")->most_time);
  CHECK(cluster.partition("gpus") == nullptr);
}

// Where the first problem is; empty without one.
std::string refused(const SlurmSettings& settings) {
  const ClusterProblems found = cluster_problems(settings, settings.time, sample_cluster());
  return found.fatal.empty() ? std::string() : found.fatal.front().pointer;
}

TEST_CASE("what no node of a partition has is a problem at its place in the spec") {
  SlurmSettings settings;
  CHECK(refused(settings).empty());
  settings.gpus_per_trial = 4;
  settings.nodes_per_trial = 3;
  settings.cpus = 16;
  settings.time = std::chrono::hours(24);
  CHECK(refused(settings).empty());
  const auto with = [&](auto change) {
    SlurmSettings changed = settings;
    change(changed);
    return refused(changed);
  };
  CHECK(with([](auto& s) { s.partition = "gpus"; }) == "/runner/partition");
  CHECK(with([](auto& s) { s.partition = "long"; }) == "/runner/partition");
  CHECK(with([](auto& s) { s.gpus_per_trial = 5; }) == "/resources/gpus_per_trial");
  CHECK(with([](auto& s) { s.gres = "gpu:v100:1"; }) == "/runner/gres");
  CHECK(with([](auto& s) { s.nodes_per_trial = 4; }) == "/runner/nodes_per_trial");
  CHECK(with([](auto& s) { s.cpus = 17; }) == "/runner/cpus");
  CHECK(with([](auto& s) { s.time = std::chrono::hours(25); }) == "/runner/time");
}

TEST_CASE("where the trials of a spec run is said in a line, with what the cluster fills in") {
  Spec spec;
  CHECK(jobs_text(spec, sample_cluster()) ==
        "Slurm's partition gpu, a job for each trial: 1 node, 1 core, 1d 0h at most; 8 jobs at once");
  spec.runner.slurm.nodes_per_trial = 2;
  spec.runner.slurm.gpus_per_trial = 4;
  spec.runner.slurm.cpus = 16;
  spec.runner.slurm.time = std::chrono::hours(4);
  spec.limits.parallel = 1;
  CHECK(jobs_text(spec, sample_cluster()) ==
        "Slurm's partition gpu, a job for each trial: 2 nodes, 4 GPUs on each, 16 cores on each, 4h 00m at "
        "most; "
        "1 job at once");
  spec.runner.slurm.gres = "gpu:a100:2";
  CHECK(jobs_text(spec, sample_cluster()).find(", gpu:a100:2 on each, ") != std::string::npos);
}

TEST_CASE("nodes are left out beside those that the spec leaves out, by name or by a file") {
  SlurmSettings settings;
  CHECK(exclusion(settings, {}).empty());
  CHECK(exclusion(settings, {"n3", "n4"}) == "--exclude=n3,n4");
  for (const char* option : {"--exclude=n[1-2]", "--exclud=n[1-2]", "-xn[1-2]", "-x n[1-2]"}) {
    settings.options = {"--exclude=n9", "--exclusive", option};
    CHECK(exclusion(settings, {"n3"}) == "--exclude=n[1-2],n3");
  }
  const tests::TemporaryFolder folder;
  std::ofstream(folder.path() / "bad") << "# broken fans\nn[1-2]\n\n n5 # since May\nn7";
  settings.options = {"--exclude=" + (folder.path() / "bad").string()};
  CHECK(exclusion(settings, {}).empty());
  CHECK(exclusion(settings, {"n3"}) == "--exclude=n[1-2],n5,n7,n3");
  settings.options = {"--exclude=/no/such/file"};
  CHECK_THROWS_AS(exclusion(settings, {"n3"}), Error);
}

TEST_CASE("the scheduler is asked soon after something odd, and once a minute in the end") {
  const SteadyTime begin{std::chrono::hours(1)};
  QueryPace pace(begin);
  std::vector<std::int64_t> times;
  SteadyTime now = begin;
  while (now < begin + std::chrono::minutes(10)) {
    now = pace.next();
    pace.on_query(now);
    pace.on_answer(now);
    times.push_back(std::chrono::duration_cast<seconds>(now - begin).count());
  }
  CHECK(times[0] == 5);
  CHECK(times[1] == 15);
  CHECK(times.back() - times[times.size() - 2] == 60);
  // At most two a minute from the second minute on.
  CHECK(std::count_if(times.begin(), times.end(), [](auto t) { return t >= 60 && t < 360; }) <= 10);
  pace.hurry(now);
  CHECK(pace.next() == now + seconds(5));
}

TEST_CASE("a job lasts as long as the spec says, else as its trial may take and a minute") {
  SlurmSettings settings;
  CHECK_FALSE(job_time(settings, std::nullopt));
  CHECK(job_time(settings, Milliseconds(600'000)) == Milliseconds(660'000));
  settings.time = Milliseconds(3'600'000);
  CHECK(job_time(settings, Milliseconds(600'000)) == Milliseconds(3'600'000));
}

TEST_CASE("what becomes of an attempt without a report is told by what Slurm says of its job") {
  ClusterJob job;
  job.began = job.is_gone = true;
  job.job = "812_3";
  job.alive.node = "n1";
  const auto stop_in = [&](const char* state) {
    job.state = state;
    const JobLoss loss = loss_of(job, SteadyTime{});
    return loss.record ? loss.record->stop_text : "lost: " + loss.why;
  };
  CHECK(stop_in("PREEMPTED") == "terminated");
  CHECK(stop_in("REQUEUED") == "terminated");
  CHECK(stop_in("TIMEOUT") == "job time limit");
  CHECK(stop_in("CANCELLED") == "lost: job 812_3 on n1 ended without a report (CANCELLED)");
  CHECK(stop_in("NODE_FAIL") == "lost: job 812_3 ended, since its node n1 failed");
  CHECK(stop_in("ENDED") == "lost: its supervisor on n1 was killed");
  job.state = "OUT_OF_MEMORY";
  CHECK(loss_of(job, SteadyTime{}).record->out_of_memory);
  job.stop = AskedStop{Milliseconds(0), StopReason::kRule, {}};
  CHECK(stop_in("CANCELLED") == "rule");
}

TEST_CASE("a job that may wait for ever is told from one whose turn will come, with what helps") {
  SlurmJob job;
  job.state = "PENDING";
  for (const char* ordinary :
       {"Priority", "Resources", "None", "BeginTime", "Dependency", "JobArrayTaskLimit"}) {
    job.reason = ordinary;
    CHECK(hopeless_reason(job).empty());
  }
  job.reason = "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions";
  CHECK(hopeless_reason(job).ends_with(": `sinfo --list-reasons` says why nodes are not available"));
  job.reason = "QOSMaxJobsPerUserLimit";
  CHECK(hopeless_reason(job).find("when others have ended") != std::string::npos);
  job.state = "RUNNING";
  CHECK(hopeless_reason(job).empty());
}

TEST_CASE(
    "a young attempt is looked at often, an old one seldom, and thousands no more than a server bears") {
  const SteadyTime now{std::chrono::hours(9)};
  ClusterJob job;
  job.began = true;
  job.since = now;
  CHECK(look_interval(job, 4, now) == Milliseconds(50));
  CHECK(look_interval(job, 4, now + seconds(10)) == Milliseconds(500));
  CHECK(look_interval(job, 4, now + seconds(10'000)) == Milliseconds(5'000));
  CHECK(look_interval(job, 10'000, now + seconds(10)) == Milliseconds(20'000));
}

TEST_CASE("a job's device time is Slurm's own where it is known, and a clock that is wrong is named") {
  ClusterJob job;
  CHECK(held_time(job, WallTime{}) == Milliseconds(0));
  job.began = true;
  job.start = WallTime(seconds(100));
  job.end = WallTime(seconds(160));
  CHECK(held_time(job, WallTime{}) == Milliseconds(60'000));
  job.start.reset();
  job.alive.node = "n1";
  job.submitted_at = WallTime(seconds(100));
  // A job cannot have begun before it was submitted, nor after now.
  for (const auto& [began, held] : {std::pair{103, 9}, {10, 12}, {999, 0}}) {
    job.alive.began = WallTime(seconds(began));
    CHECK(held_time(job, WallTime(seconds(112))) == Milliseconds(1000 * held));
  }
  job.alive.began = job.alive.written = WallTime(seconds(101));
  CHECK(clock_problem(job, WallTime(seconds(102))).empty());
  job.alive.began = job.alive.written = WallTime(seconds(40));
  CHECK(clock_problem(job, WallTime(seconds(102))).find("1m 00s behind") != std::string::npos);
  job.alive.began = job.alive.written = WallTime(seconds(222));
  CHECK(clock_problem(job, WallTime(seconds(102))).find("2m 00s ahead of") != std::string::npos);
}

}  // namespace
}  // namespace tune::engine

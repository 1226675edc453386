#include "tuner/engine/attempt/attempt_launch.h"

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

using namespace tune;
using namespace tune::engine;
using tests::TemporaryFolder;

namespace {

struct LaunchFiles {
  Json trial, launch;
};

LaunchFiles launched(const JobShare& share) {
  const TemporaryFolder folder;
  Attempt attempt;
  attempt.id = {1, 1};
  attempt.token = "t";
  attempt.folder = folder.path();
  attempt.argv = {"torchrun", "train.py"};
  attempt.working_directory = folder.path();
  attempt.trial_json = Json::object();
  write_launch_files(attempt, share);
  return {Json::parse(read_file(folder.path() / kTrialFile)),
          Json::parse(read_file(folder.path() / kLaunchFile))};
}

}  // namespace

TEST_CASE("a job of one process is told nothing of others") {
  const LaunchFiles files = launched({.threads = 4, .gpus = 1});
  CHECK(files.trial.at("devices") == Json{"0"});
  CHECK(files.trial.at("threads") == 4);
  CHECK_FALSE(files.trial.contains("processes"));
  CHECK_FALSE(files.trial.contains("nodes"));
  const Json& environment = files.launch.at("environment");
  CHECK(environment.at("OMP_NUM_THREADS") == "4");
  for (const char* name : {"TUNE_PROCESSES", "PET_NPROC_PER_NODE", "PET_NNODES"})
    CHECK_FALSE(environment.contains(name));
  CHECK(files.launch.at("argv") == Json{"torchrun", "train.py"});
}

TEST_CASE("a job of several processes says on each node how many they are there") {
  const LaunchFiles one = launched({.threads = 4, .gpus = 2, .processes = 2});
  CHECK(one.trial.at("devices") == Json{"0", "1"});
  CHECK(one.trial.at("processes") == 2);
  CHECK_FALSE(one.trial.contains("nodes"));
  CHECK(one.launch.at("environment").at("PET_NPROC_PER_NODE") == "2");
  CHECK(one.launch.at("environment").at("OMP_NUM_THREADS") == "2");
  CHECK_FALSE(one.launch.at("environment").contains("PET_NNODES"));

  const LaunchFiles three = launched({.threads = 1, .nodes = 3});
  CHECK(three.trial.at("nodes") == 3);
  CHECK_FALSE(three.trial.contains("processes"));
  const Json& environment = three.launch.at("environment");
  CHECK(environment.at("TUNE_PROCESSES") == "1");
  CHECK(environment.at("PET_NNODES") == "3");
  CHECK(environment.at("PET_RDZV_BACKEND") == "c10d");
  CHECK(environment.at("CUDA_VISIBLE_DEVICES") == "");
  CHECK(three.launch.at("argv").at(0) == "srun");
  CHECK(three.launch.at("job").at("nodes") == 3);
  CHECK_FALSE(one.launch.at("job").contains("nodes"));
}

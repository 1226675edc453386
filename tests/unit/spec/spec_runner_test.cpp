// The section `runner`.
#include "support/catch.h"
#include "support/spec_text.h"

using namespace tune;
using namespace tune::tests;
using Catch::Matchers::Contains;

TEST_CASE("trials run on this machine unless the spec names a cluster") {
  CHECK(parse(valid_document().dump()).runner.kind == RunnerKind::kLocal);
  const Spec spec = parse(changed("/runner", R"({"kind": "slurm", "partition": "gpu", "account": "vision",
    "time": "90m", "gres": "gpu:a100:2", "cpus": 4, "nodes_per_trial": 2, "options": ["--mem=4G"],
    "work": "shared"})"));
  CHECK(spec.runner.kind == RunnerKind::kSlurm);
  const SlurmSettings& slurm = spec.runner.slurm;
  CHECK(slurm.partition == "gpu");
  CHECK(slurm.account == "vision");
  CHECK(slurm.time == Milliseconds(90 * 60'000));
  CHECK(slurm.gres == "gpu:a100:2");
  CHECK(slurm.cpus == 4);
  CHECK(slurm.nodes_per_trial == 2);
  CHECK(slurm.options == std::vector<std::string>{"--mem=4G"});
  CHECK(slurm.work == "/folder/shared");
}

TEST_CASE("a trial's processes on each node are its GPUs there, whichever key says how many these are") {
  const auto processes = [](const std::string& runner, const std::string& resources) {
    OrderedJson document = valid_document();
    document["runner"] = OrderedJson::parse(runner);
    document["resources"] = OrderedJson::parse(resources);
    const SlurmSettings slurm = parse(document.dump()).runner.slurm;
    return std::pair(slurm.gpus, slurm.processes_per_trial);
  };
  using Found = std::pair<int, int>;
  CHECK(processes(R"({"kind": "slurm"})", R"({})") == Found{0, 1});
  CHECK(processes(R"({"kind": "slurm"})", R"({"gpus_per_trial": 2})") == Found{2, 2});
  CHECK(processes(R"({"kind": "slurm"})", R"({"gpus_per_trial": 0, "processes_per_trial": 4})") ==
        Found{0, 4});
  CHECK(processes(R"({"kind": "slurm", "gres": "gpu:a100:2"})", R"({})") == Found{2, 2});
  CHECK(processes(R"({"kind": "slurm", "gres": "license:3,gpu:4"})", R"({})") == Found{4, 4});
  CHECK(processes(R"({"kind": "slurm", "gres": "gpu:a100"})", R"({})") == Found{1, 1});
  CHECK(processes(R"({"kind": "slurm", "gres": "shard:4"})", R"({"processes_per_trial": 2})") == Found{0, 2});
  OrderedJson document = valid_document();
  document["runner"] = {{"kind", "slurm"}, {"gres", "gpu:a100:2"}};
  document["resources"] = {{"processes_per_trial", 4}};
  CHECK_THAT(problems_of(document.dump()),
             Contains("/resources/processes_per_trial: runner.gres gives a trial 2 "
                      "GPUs on each node, and one process for each"));
}

TEST_CASE("what tune tells sbatch itself cannot be an option, and each is told what to use") {
  const auto refused = [](const std::string& option) {
    return problems_of(changed("/runner", R"({"kind": "slurm", "options": [")" + option + R"("]})"));
  };
  CHECK(refused("--constraint=a100").empty());
  CHECK(refused("--mem=4G").empty());
  CHECK(refused("-C a100").empty());
  CHECK_THAT(refused("--array=0-3"), Contains("/runner/options/0") && Contains("leave it out"));
  CHECK_THAT(refused("--time=10"), Contains("use runner.time"));
  CHECK_THAT(refused("-p gpu"), Contains("use runner.partition"));
  CHECK_THAT(refused("--nodes=2"), Contains("use runner.nodes_per_trial"));
  CHECK_THAT(refused("--gpus=2"), Contains("use runner.gres"));
  CHECK_THAT(refused("-n 4"), Contains("use runner.nodes_per_trial"));
  CHECK_THAT(refused("--requeue"), Contains("leave it out"));
  CHECK_THAT(refused("--part=gpu"), Contains("use runner.partition"));
  CHECK(refused("--exclude=n3").empty());
  CHECK(refused("--gres-flags=enforce-binding").empty());
  CHECK_THAT(refused("constraint=a100"), Contains("begins with a dash"));
}

TEST_CASE("a job's time is a minute or more") {
  CHECK_THAT(problems_of(changed("/runner", R"({"kind": "slurm", "time": "30s"})")),
             Contains("/runner/time") && Contains("1m or more"));
}

TEST_CASE("where a study's trials run may change, but not on how many nodes each does") {
  const auto change = [](const std::string& runner) {
    const auto changes = spec_changes(Json(valid_document()), Json::parse(changed("/runner", runner)));
    return std::pair(changes.size(), changes.empty() || changes.front().is_harmless);
  };
  CHECK(change(R"({"kind": "slurm"})") == std::pair(std::size_t{1}, true));
  CHECK(change(R"({"kind": "local", "cpus": 1})") == std::pair(std::size_t{0}, true));
  CHECK(change(R"({"nodes_per_trial": 2})") == std::pair(std::size_t{1}, false));
}

#include "tuner/engine/study/trainer_check.h"

#include <sys/stat.h>

#include "support/run_shell.h"
#include "unit/engine/study/described_trainer.h"

namespace tune::tests {
namespace {

using namespace engine;

// The problem at `pointer`; fails the test when there is none.
Problem problem_at(const Spec& spec, const std::string& pointer) {
  for (const Problem& problem : trainer_problems(spec, trainer_description())) {
    if (problem.pointer == pointer) return problem;
  }
  FAIL("no problem at " << pointer);
  return {};
}

TEST_CASE("keys of a trainer may be of any JSON type, and each is checked as its own") {
  Json described = trainer_description();
  for (const Json& key : {Json{{"name", "dropout"}, {"kind", "number"}, {"min", 0}, {"max", 0.5}},
                          Json{{"name", "lower_case"}, {"kind", "flag"}},
                          Json{{"name", "files"}, {"kind", "list"}, {"items", {{"kind", "path"}}}},
                          Json{{"name", "template"}, {"kind", "any"}}})
    described["tasks"][0]["trainer_keys"].push_back(key);
  const auto problems = [&](const Json& keys) {
    Spec spec = spec_of_described_trainer();
    spec.trainer->update(keys);
    std::vector<std::string> found;
    for (const Problem& problem : trainer_problems(spec, described))
      found.push_back(problem.pointer + ": " + problem.message);
    return found;
  };
  using Found = std::vector<std::string>;
  CHECK(problems({{"dropout", 0.1},
                  {"lower_case", true},
                  {"files", {"/tmp", "/"}},
                  {"template", {{"roles", {"user", 3}}}}})
            .empty());
  CHECK(problems({{"dropout", "much"}}) == Found{"/trainer/dropout: must be a number"});
  CHECK(problems({{"dropout", 0.75}}) ==
        Found{"/trainer/dropout: 0.75 is above the largest allowed value 0.5"});
  CHECK(problems({{"dropout", -1}}) == Found{"/trainer/dropout: -1 is below the smallest allowed value 0"});
  CHECK(problems({{"lower_case", 1}}) == Found{"/trainer/lower_case: must be true or false"});
  CHECK(problems({{"files", "/tmp"}}) == Found{"/trainer/files: must be a list"});
  CHECK(problems({{"files", {"/tmp", 7}}}) == Found{"/trainer/files/1: must be a text"});
  CHECK(problems({{"files", {"/no/such/file"}}}) == Found{"/trainer/files/0: there is no /no/such/file"});
  CHECK(problems({{"files", {"/dev/zero"}}}) ==
        Found{"/trainer/files/0: /dev/zero is neither a file nor a folder"});
  const tests::TemporaryFolder folder;
  const std::string fifo = (folder.path() / "data").string(), link = (folder.path() / "link").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::filesystem::create_symlink(fifo, link);
  CHECK(problems({{"files", {fifo}}}) ==
        Found{"/trainer/files/0: " + fifo + " is neither a file nor a folder"});
  CHECK(problems({{"files", {link}}}) ==
        Found{"/trainer/files/0: " + link + " is neither a file nor a folder"});
}

TEST_CASE("wrong keys of a trainer are named with the nearest right one") {
  Spec spec = spec_of_described_trainer();
  (*spec.trainer)["recipee"] = "legacy";
  CHECK(problem_at(spec, "/trainer/recipee").hint.find("recipe") != std::string::npos);
  spec = spec_of_described_trainer();
  (*spec.trainer)["task"] = "detecton";
  CHECK(problem_at(spec, "/trainer/task").hint.find("detection") != std::string::npos);
  spec = spec_of_described_trainer();
  (*spec.trainer)["model"] = "ssd224-resnet81";
  CHECK(problem_at(spec, "/trainer/model").hint.find("ssd224-resnet18") != std::string::npos);
  spec = spec_of_described_trainer();
  spec.trainer->erase("data");
  CHECK(problem_at(spec, "/trainer").message.find("\"data\" is missing") != std::string::npos);
  spec = spec_of_described_trainer();
  (*spec.trainer)["data"] = "no/such/folder";
  CHECK(problem_at(spec, "/trainer/data").message.find("/no/such/folder") != std::string::npos);
  spec = spec_of_described_trainer();
  (*spec.trainer)["split"] = "0.8";
  CHECK(problem_at(spec, "/trainer/split").message.find("object") != std::string::npos);
}

TEST_CASE("the keys inside a trainer's split are checked before anything starts") {
  Spec spec = spec_of_described_trainer();
  const auto problem = [&](const Json& split, const char* pointer) {
    (*spec.trainer)["split"] = split;
    return problem_at(spec, pointer);
  };
  CHECK(problem({{"fraction", {0.8, 0.2}}}, "/trainer/split/fraction").hint.find("fractions") !=
        std::string::npos);
  CHECK(problem({{"fractions", {0.8, 0.3}}}, "/trainer/split/fractions").message.find("1.1") !=
        std::string::npos);
  CHECK(problem({{"fractions", {1.2, -0.2}}}, "/trainer/split/fractions").message.find("at least 0") !=
        std::string::npos);
  CHECK(problem({{"fractions", {0, 1}}}, "/trainer/split/fractions").message.find("nothing to train on") !=
        std::string::npos);
  CHECK(problem({{"fractions", 0.8}}, "/trainer/split/fractions").message.find("list") != std::string::npos);
  CHECK(problem({{"seed", -1}}, "/trainer/split/seed").message.find("integer") != std::string::npos);
  CHECK(problem({{"grouping", "content"}}, "/trainer/split/grouping").message.find("content") !=
        std::string::npos);
  (*spec.trainer)["split"] = {{"fractions", {0.7, 0.2, 0.1}}, {"seed", 3}, {"grouping", "image"}};
  CHECK(trainer_problems(spec, trainer_description()).empty());
}

TEST_CASE("more GPUs for each trial than the trainer can use are refused") {
  Spec spec = spec_of_described_trainer();
  spec.resources.gpus_per_trial = 2;
  CHECK(problem_at(spec, "/resources/gpus_per_trial").message.find("at most 1 GPU") != std::string::npos);
}

TEST_CASE("a batch that is too small for the processes of a trial is refused, wherever its size is said") {
  Json described = trainer_description();
  described["tasks"][0]["max_gpus"] = 8;
  described["tasks"][0]["unit"] = "images";
  described["tasks"][0]["recipes"][0]["hyperparameters"].push_back({{"name", "mini_batch_size"},
                                                                    {"type", "int"},
                                                                    {"default", 4},
                                                                    {"min", 2},
                                                                    {"max", 512},
                                                                    {"least_part", 2}});
  const auto problems = [&](const std::function<void(Spec&)>& change) {
    Spec spec = spec_of_described_trainer();
    change(spec);
    std::vector<std::string> found;
    for (const Problem& problem : trainer_problems(spec, described))
      found.push_back(problem.pointer + ": " + problem.message + " | " + problem.hint);
    return found;
  };
  using Found = std::vector<std::string>;
  const std::string three =
      " images is too small for the 3 processes of a trial, each of which needs 2 | a "
      "mini_batch_size of 6 or more, or fewer processes";
  CHECK(problems([](Spec&) {}).empty());
  CHECK(problems([](Spec& spec) { spec.resources.gpus_per_trial = 2; }).empty());
  CHECK(problems([](Spec& spec) { spec.resources.processes_per_trial = 3; }) ==
        Found{"/fixed: a batch of 4" + three});
  CHECK(problems([](Spec& spec) {
          spec.resources.gpus_per_trial = 3;
          spec.fixed["mini_batch_size"] = 5;
        }) == Found{"/fixed/mini_batch_size: a batch of 5" + three});
  CHECK(problems([](Spec& spec) {
          spec.resources.gpus_per_trial = 3;
          Parameter size = float_parameter("mini_batch_size", 2, 64);
          size.type = ParameterType::kInt;
          spec.space = SearchSpace({size});
        }) == Found{"/parameters/mini_batch_size/min: a batch of 2" + three});
  CHECK(problems([](Spec& spec) {
          spec.resources.gpus_per_trial = 3;
          Parameter size;
          size.name = "mini_batch_size";
          size.type = ParameterType::kCategorical;
          size.values = {8, 4};
          spec.space = SearchSpace({size});
        }) == Found{"/parameters/mini_batch_size/values/1: a batch of 4" + three});
  CHECK(problems([](Spec& spec) {
          spec.runner.kind = RunnerKind::kSlurm;
          spec.runner.slurm.processes_per_trial = 1;
          spec.runner.slurm.nodes_per_trial = 3;
        }) == Found{"/fixed: a batch of 4" + three});
}

TEST_CASE("hyperparameters are held against the recipe's names, types and ranges") {
  Spec spec = spec_of_described_trainer();
  spec.space = SearchSpace({float_parameter("learning_rat", 0.001, 0.1)});
  CHECK(problem_at(spec, "/parameters/learning_rat").hint.find("learning_rate") != std::string::npos);
  spec.space = SearchSpace({float_parameter("learning_rate", 0.001, 0.9)});
  CHECK(problem_at(spec, "/parameters/learning_rate/max").message.find("0.5") != std::string::npos);
  spec.space = SearchSpace({float_parameter("epochs", 1, 5)});
  CHECK(problem_at(spec, "/parameters/epochs/type").message.find("int") != std::string::npos);
  Parameter optimizer;
  optimizer.name = "optimizer";
  optimizer.type = ParameterType::kCategorical;
  optimizer.values = {"sgd", "adagrad"};
  spec.space = SearchSpace({optimizer});
  CHECK(problem_at(spec, "/parameters/optimizer/values/1").message.find("adagrad") != std::string::npos);
  spec = spec_of_described_trainer();
  spec.fixed["epochs"] = 0;
  CHECK(problem_at(spec, "/fixed/epochs").message.find("below") != std::string::npos);
  spec.fixed["epochs"] = "many";
  CHECK(problem_at(spec, "/fixed/epochs").message.find("int") != std::string::npos);
  spec.fixed["nesterov"] = 1;
  CHECK(problem_at(spec, "/fixed/nesterov").message.find("bool") != std::string::npos);
}

TEST_CASE("the objective must be a metric of the recipe, with its goal") {
  Spec spec = spec_of_described_trainer();
  spec.objective.metric = "validation:map";
  CHECK(problem_at(spec, "/objective/metric").hint.find("validation:mAP") != std::string::npos);
  spec = spec_of_described_trainer();
  spec.objective.goal = Goal::kMinimize;
  CHECK(problem_at(spec, "/objective/goal").message.find("larger") != std::string::npos);
}

}  // namespace
}  // namespace tune::tests

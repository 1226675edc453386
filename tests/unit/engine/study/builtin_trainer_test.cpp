#include "tuner/engine/study/builtin_trainer.h"

#include <sys/stat.h>

#include <fstream>

#include "support/run_shell.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using namespace engine;

const Json& description() {
  static const Json json =
      Json::parse(R"json({"schema":1,"program":"tune-train","version":"0.1.0","libtorch":"2.13.0","tasks":[
    {"name":"detection",
     "trainer_keys":[{"name":"model","kind":"choice","values":["ssd224-resnet18"],"required":true},
       {"name":"recipe","kind":"choice","values":["legacy","latest"],"default":"legacy"},
       {"name":"data","kind":"path","required":true},{"name":"split","kind":"object",
         "keys":[{"name":"fractions","kind":"fractions"},{"name":"seed","kind":"count"},
                 {"name":"grouping","kind":"choice","values":["image"]}]}],
     "recipes":[
       {"name":"legacy","hyperparameters":[
          {"name":"learning_rate","type":"float","default":0.001,"min":1e-6,"max":0.5},
          {"name":"epochs","type":"int","default":10,"min":1,"max":1000},
          {"name":"nesterov","type":"bool","default":false},
          {"name":"optimizer","type":"categorical","values":["sgd","adam"]}],
        "metrics":[{"name":"validation:mAP","goal":"maximize","regex":"mAP=([0-9.]+)","step":"epoch=([0-9]+)"}]
},
       {"name":"latest","hyperparameters":[{"name":"adam_learning_rate","type":"float","min":1e-6,"max":0.5}],
        "metrics":[{"name":"Val_CrossEntropy","goal":"minimize","regex":"Val_CrossEntropy=([0-9.]+)"}]}],
     "models":[{"name":"ssd224-resnet18"}]
}]
})json");
  return json;
}

Spec good_spec() {
  Spec spec = small_spec();
  spec.objective = {"validation:mAP", Goal::kMaximize, Reduce::kBest};
  spec.space = SearchSpace({float_parameter("learning_rate", 0.001, 0.1)});
  spec.trainer = Json{{"task", "detection"}, {"model", "ssd224-resnet18"}, {"data", "/tmp"}};
  spec.fixed["epochs"] = 5;
  spec.command.clear();
  spec.metrics.clear();
  return spec;
}

// The problem at `pointer`; fails the test when there is none.
Problem problem_at(const Spec& spec, const std::string& pointer) {
  for (const Problem& problem : trainer_problems(spec, description())) {
    if (problem.pointer == pointer) return problem;
  }
  FAIL("no problem at " << pointer);
  return {};
}

TEST_CASE("a good built-in trainer has no problems, and brings its command and metrics") {
  Spec spec = good_spec();
  CHECK(trainer_problems(spec, description()).empty());
  apply_builtin_trainer(spec, {"/bin/tune-train", description()}, "search.json", "{}");
  CHECK(spec.command == std::vector<std::string>{"/bin/tune-train", "--trial", "{{trial_file}}"});
  REQUIRE(spec.metrics.size() == 1);
  CHECK(spec.metrics[0].name == "validation:mAP");
  CHECK(spec.metrics[0].step == "epoch=([0-9]+)");
}

TEST_CASE("a metric of the user replaces the trainer's of that name") {
  Spec spec = good_spec();
  spec.metrics = {{"validation:mAP", "my=([0-9.]+)", std::nullopt}, {"mine", "x=([0-9]+)", std::nullopt}};
  apply_builtin_trainer(spec, {"/bin/tune-train", description()}, "search.json", "{}");
  REQUIRE(spec.metrics.size() == 2);
  CHECK(spec.metrics[0].regex == "my=([0-9.]+)");
}

TEST_CASE("a search that learns begins with the trainer's defaults, where its ranges hold them") {
  const auto first_points = [](const std::function<void(Spec&)>& change) {
    Spec spec = good_spec();
    spec.strategy = {};
    change(spec);
    apply_builtin_trainer(spec, {"/bin/tune-train", description()}, "search.json", "{}");
    return spec.strategy;
  };
  const StrategySpec strategy = first_points([](Spec&) {});
  CHECK(strategy.try_first == std::vector<ParameterSet>{{{"learning_rate", 0.001}}});
  CHECK(strategy.try_first_note == "the trainer's defaults");
  for (const char* name : {"bayesian", "tpe"})
    CHECK(first_points([&](Spec& spec) { spec.strategy.name = name; }).try_first.size() == 1);
  for (const char* name : {"random", "sobol", "grid"})
    CHECK(first_points([&](Spec& spec) { spec.strategy.name = name; }).try_first.empty());

  CHECK(first_points([](Spec& spec) {
          spec.space = SearchSpace({float_parameter("learning_rate", 0.01, 0.1)});
        }).try_first.empty());
  CHECK(first_points([](Spec& spec) { spec.warm_start.emplace_back(); }).try_first.empty());
  const StrategySpec own = first_points([](Spec& spec) {
    spec.strategy.try_first = {{{"learning_rate", 0.05}}};
  });
  CHECK(own.try_first == std::vector<ParameterSet>{{{"learning_rate", 0.05}}});
  CHECK(own.try_first_note == "from try_first");
}

TEST_CASE("keys of a trainer may be of any JSON type, and each is checked as its own") {
  Json described = description();
  for (const Json& key : {Json{{"name", "dropout"}, {"kind", "number"}, {"min", 0}, {"max", 0.5}},
                          Json{{"name", "lower_case"}, {"kind", "flag"}},
                          Json{{"name", "files"}, {"kind", "list"}, {"items", {{"kind", "path"}}}},
                          Json{{"name", "template"}, {"kind", "any"}}})
    described["tasks"][0]["trainer_keys"].push_back(key);
  const auto problems = [&](const Json& keys) {
    Spec spec = good_spec();
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
  Spec spec = good_spec();
  (*spec.trainer)["recipee"] = "legacy";
  CHECK(problem_at(spec, "/trainer/recipee").hint.find("recipe") != std::string::npos);
  spec = good_spec();
  (*spec.trainer)["task"] = "detecton";
  CHECK(problem_at(spec, "/trainer/task").hint.find("detection") != std::string::npos);
  spec = good_spec();
  (*spec.trainer)["model"] = "ssd224-resnet81";
  CHECK(problem_at(spec, "/trainer/model").hint.find("ssd224-resnet18") != std::string::npos);
  spec = good_spec();
  spec.trainer->erase("data");
  CHECK(problem_at(spec, "/trainer").message.find("\"data\" is missing") != std::string::npos);
  spec = good_spec();
  (*spec.trainer)["data"] = "no/such/folder";
  CHECK(problem_at(spec, "/trainer/data").message.find("/no/such/folder") != std::string::npos);
  spec = good_spec();
  (*spec.trainer)["split"] = "0.8";
  CHECK(problem_at(spec, "/trainer/split").message.find("object") != std::string::npos);
}

TEST_CASE("the keys inside a trainer's split are checked before anything starts") {
  Spec spec = good_spec();
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
  CHECK(trainer_problems(spec, description()).empty());
}

TEST_CASE("more GPUs for each trial than the trainer can use are refused") {
  Spec spec = good_spec();
  spec.resources.gpus_per_trial = 2;
  CHECK(problem_at(spec, "/resources/gpus_per_trial").message.find("at most 1 GPU") != std::string::npos);
}

TEST_CASE("hyperparameters are held against the recipe's names, types and ranges") {
  Spec spec = good_spec();
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
  spec = good_spec();
  spec.fixed["epochs"] = 0;
  CHECK(problem_at(spec, "/fixed/epochs").message.find("below") != std::string::npos);
  spec.fixed["epochs"] = "many";
  CHECK(problem_at(spec, "/fixed/epochs").message.find("int") != std::string::npos);
  spec.fixed["nesterov"] = 1;
  CHECK(problem_at(spec, "/fixed/nesterov").message.find("bool") != std::string::npos);
}

TEST_CASE("the objective must be a metric of the recipe, with its goal") {
  Spec spec = good_spec();
  spec.objective.metric = "validation:map";
  CHECK(problem_at(spec, "/objective/metric").hint.find("validation:mAP") != std::string::npos);
  spec = good_spec();
  spec.objective.goal = Goal::kMinimize;
  CHECK(problem_at(spec, "/objective/goal").message.find("larger") != std::string::npos);
}

TEST_CASE("problems carry the lines of the spec") {
  Spec spec = good_spec();
  (*spec.trainer)["model"] = "nothing";
  const std::string text = "{\n  \"trainer\": {\n    \"model\": \"nothing\"\n  }\n}\n";
  try {
    apply_builtin_trainer(spec, {"/bin/tune-train", description()}, "search.json", text);
    FAIL("no error");
  } catch (const SpecError& error) {
    CHECK(error.file() == "search.json");
    REQUIRE(error.problems().size() == 1);
    CHECK(error.problems()[0].line == 3);
  }
}

// A program named tune-train that prints `text` and exits with `code`, alone on the path but for sh and cat.
class FakeTrainer {
 public:
  FakeTrainer(const std::string& text, int code) : before_(std::getenv("PATH")) {
    std::ofstream(folder_.path() / "answer") << text;
    std::ofstream(folder_.path() / "tune-train")
        << "#!/bin/sh\n/bin/cat " << (folder_.path() / "answer").string() << "\nexit " << code << "\n";
    chmod((folder_.path() / "tune-train").c_str(), 0755);
    setenv("PATH", folder_.path().c_str(), 1);
  }
  ~FakeTrainer() { setenv("PATH", before_.c_str(), 1); }
  std::filesystem::path folder() const { return folder_.path(); }

 private:
  ScratchFolder folder_;
  std::string before_;
};

TEST_CASE("tune-train is found on the path and asked to describe itself") {
  const FakeTrainer fake(description().dump(), 0);
  const BuiltinTrainer trainer = find_builtin_trainer();
  CHECK(trainer.program == fake.folder() / "tune-train");
  CHECK(trainer.description == description());
}

TEST_CASE("a missing tune-train is an error of the environment with a cure") {
  const FakeTrainer fake("", 0);
  std::filesystem::remove(fake.folder() / "tune-train");
  try {
    find_builtin_trainer();
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kEnvironment);
    CHECK_FALSE(error.hint().empty());
  }
}

TEST_CASE("a tune-train that does not describe itself is an error of the environment") {
  const FakeTrainer nonsense("Segmentation fault", 0);
  CHECK_THROWS_AS(find_builtin_trainer(), Error);
  const FakeTrainer broken(description().dump(), 127);
  CHECK_THROWS_AS(find_builtin_trainer(), Error);
}

TEST_CASE("a probe's answer is taken, and its failure is an error") {
  const Spec spec = good_spec();
  const FakeTrainer good(R"({"schema":1,"device":"cpu","precision":"bf16","candidates":[]})", 0);
  const BuiltinTrainer trainer{good.folder() / "tune-train", description()};
  CHECK(probe_trainer(trainer, spec, {Json{{"schema", 1}}, good.folder()}).value().precision == "bf16");
  CHECK(std::filesystem::exists(good.folder() / "probe.json"));
  for (const char* answer : {"bf16", "[]", "{}", R"({"precision":16})"}) {
    const FakeTrainer other(answer, 0);
    CHECK_THROWS_AS(probe_trainer({other.folder() / "tune-train", description()}, spec,
                                  {Json{{"schema", 1}}, other.folder()}),
                    Error);
  }
  const FakeTrainer bad("", 65);
  CHECK_THROWS_AS(
      probe_trainer({bad.folder() / "tune-train", description()}, spec, {Json{{"schema", 1}}, bad.folder()}),
      Error);
}

}  // namespace
}  // namespace tune::tests

#include "tuner/engine/study/builtin_trainer.h"

#include <sys/stat.h>

#include <fstream>

#include "support/run_shell.h"
#include "tuner/engine/study/trainer_check.h"
#include "unit/engine/study/described_trainer.h"

namespace tune::tests {
namespace {

using namespace engine;

TEST_CASE("a good built-in trainer has no problems, and brings its command and metrics") {
  Spec spec = spec_of_described_trainer();
  CHECK(trainer_problems(spec, trainer_description()).empty());
  apply_builtin_trainer(spec, {"/bin/tune-train", trainer_description()}, "search.json", "{}");
  CHECK(spec.command == std::vector<std::string>{"/bin/tune-train", "--trial", "{{trial_file}}"});
  REQUIRE(spec.metrics.size() == 1);
  CHECK(spec.metrics[0].name == "validation:mAP");
  CHECK(spec.metrics[0].step == "epoch=([0-9]+)");
}

TEST_CASE("a metric of the user replaces the trainer's of that name") {
  Spec spec = spec_of_described_trainer();
  spec.metrics = {{"validation:mAP", "my=([0-9.]+)", std::nullopt}, {"mine", "x=([0-9]+)", std::nullopt}};
  apply_builtin_trainer(spec, {"/bin/tune-train", trainer_description()}, "search.json", "{}");
  REQUIRE(spec.metrics.size() == 2);
  CHECK(spec.metrics[0].regex == "my=([0-9.]+)");
}

TEST_CASE("a search that learns begins with the trainer's defaults, where its ranges hold them") {
  const auto first_points = [](const std::function<void(Spec&)>& change) {
    Spec spec = spec_of_described_trainer();
    spec.strategy = {};
    change(spec);
    apply_builtin_trainer(spec, {"/bin/tune-train", trainer_description()}, "search.json", "{}");
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

TEST_CASE("problems carry the lines of the spec") {
  Spec spec = spec_of_described_trainer();
  (*spec.trainer)["model"] = "nothing";
  const std::string text = "{\n  \"trainer\": {\n    \"model\": \"nothing\"\n  }\n}\n";
  try {
    apply_builtin_trainer(spec, {"/bin/tune-train", trainer_description()}, "search.json", text);
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
  const FakeTrainer fake(trainer_description().dump(), 0);
  const BuiltinTrainer trainer = find_builtin_trainer();
  CHECK(trainer.program == fake.folder() / "tune-train");
  CHECK(trainer.description == trainer_description());
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
  const FakeTrainer broken(trainer_description().dump(), 127);
  CHECK_THROWS_AS(find_builtin_trainer(), Error);
}

TEST_CASE("a probe's answer is taken, and its failure is an error") {
  const Spec spec = spec_of_described_trainer();
  const FakeTrainer good(R"({"schema":1,"device":"cpu","precision":"bf16","candidates":[]})", 0);
  const BuiltinTrainer trainer{good.folder() / "tune-train", trainer_description()};
  CHECK(probe_trainer(trainer, spec, {Json{{"schema", 1}}, good.folder()}).value().precision == "bf16");
  CHECK(std::filesystem::exists(good.folder() / "probe.json"));
  for (const char* answer : {"bf16", "[]", "{}", R"({"precision":16})"}) {
    const FakeTrainer other(answer, 0);
    CHECK_THROWS_AS(probe_trainer({other.folder() / "tune-train", trainer_description()}, spec,
                                  {Json{{"schema", 1}}, other.folder()}),
                    Error);
  }
  const FakeTrainer bad("", 65);
  CHECK_THROWS_AS(probe_trainer({bad.folder() / "tune-train", trainer_description()}, spec,
                                {Json{{"schema", 1}}, bad.folder()}),
                  Error);
}

}  // namespace
}  // namespace tune::tests

#include "tuner/engine/outcome.h"

#include <limits>

#include "loop_fixture.h"
#include "tuner/engine/attempt_plan.h"
#include "tuner/engine/poison_guard.h"

namespace tune::test {
namespace {

using namespace engine;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Case {
  std::optional<ExitReport> report = ExitReport{};
  Objective objective{"mAP", Goal::kMaximize, Reduce::kBest};
  std::vector<MetricPoint> curve = {{1, 0.2}, {2, 0.4}, {3, kNaN}, {4, 0.3}};
  bool builtin = false;
  int losses = 0;
  bool orphan = false;
  UnreadLines unread = {};
  AttemptOutcome classify() const {
    return engine::classify({report,
                             objective,
                             curve,
                             builtin,
                             losses,
                             orphan,
                             "the rule's words",
                             "Traceback: out of luck",
                             {},
                             unread});
  }
};

Case exits(int code) {
  Case c;
  c.report->exit_code = code;
  return c;
}

Case stopped(const std::string& reason, int code = 143) {
  Case c = exits(code);
  c.report->stop = reason;
  return c;
}

TEST_CASE("exit code 0 with a finite value completes, with the best of the finite values") {
  const AttemptOutcome outcome = exits(0).classify();
  CHECK(outcome.state == TrialState::kCompleted);
  CHECK(outcome.value == 0.4);
}

TEST_CASE("with last, a last line that gives no number is no result, and the reason quotes it") {
  Case c = exits(0);
  c.unread = {1, "the regex captured \"tensor(nan)\", which is not a number", true};
  CHECK(c.classify().value == 0.4);  // the best is the best
  c.objective.reduce = Reduce::kLast;
  const AttemptOutcome outcome = c.classify();
  CHECK(outcome.state == TrialState::kFailed);
  CHECK(outcome.failure == "non_finite");
  CHECK(outcome.reason ==
        "exit code 0, but not the last value of \"mAP\" could be read: the regex captured \"tensor(nan)\", "
        "which is not a number");
  c.report->stop = "rule";
  CHECK_FALSE(c.classify().value);
  c.report->stop.clear();
  c.unread.is_last = false;
  CHECK(c.classify().value == 0.3);
}

TEST_CASE("lines that matched are never said to have given nothing") {
  Case c = exits(0);
  c.curve.clear();
  CHECK_THAT(c.classify().reason, Catch::Matchers::Contains("no line of its output gave \"mAP\""));
  c.unread = {3, "the regex reads 1 of 1,234.56", true};
  CHECK(c.classify().failure == "no_metric");
  CHECK(c.classify().reason ==
        "exit code 0, but no value of \"mAP\" could be read: the regex reads 1 of 1,234.56");
  c.report->stop = "timeout";
  CHECK_THAT(c.classify().reason, Catch::Matchers::Contains("reads 1 of 1,234.56"));
  c.unread = {};
  CHECK_THAT(c.classify().reason, Catch::Matchers::Contains("stdbuf"));
}

TEST_CASE("65, 75 and 76 are believed from the built-in trainer only") {
  for (const auto& [code, failure] :
       {std::pair{65, "bad_data"}, {75, "oom"}, {76, "non_finite"}, {70, "crash"}}) {
    Case c = exits(code);
    CHECK(c.classify().failure == "crash");
    c.builtin = true;
    CHECK(c.classify().failure == failure);
    CHECK(c.classify().reason == "exit code " + std::to_string(code) + ": Traceback: out of luck");
  }
}

TEST_CASE("a stopped attempt never counts as completed, whatever its exit code") {
  CHECK(stopped("rule", 0).classify().state == TrialState::kStopped);
  CHECK(stopped("rule", 0).classify().reason == "the rule's words");
  CHECK(stopped("rule", 0).classify().value == 0.4);
  CHECK(stopped("time limit", 0).classify().state == TrialState::kStopped);
  CHECK(stopped("pause", 0).classify().state == TrialState::kPaused);
  CHECK(stopped("drain", 0).classify().state == TrialState::kQueued);
  CHECK(stopped("orchestrator died", 0).classify().state == TrialState::kQueued);
  CHECK(stopped("timeout", 0).classify().failure == "timeout");
  CHECK(stopped("timeout").classify().reason == "limits.trial_time ran out; mAP had reached 0.4 by step 4");
}

TEST_CASE("a lost attempt runs again, and the third loss fails the trial") {
  Case c;
  c.report.reset();
  CHECK(c.classify().state == TrialState::kQueued);
  c.losses = 1;
  CHECK(c.classify().state == TrialState::kQueued);
  c.losses = 2;
  CHECK(c.classify().state == TrialState::kFailed);
  CHECK(c.classify().failure == "lost");
}

TEST_CASE("a trial that was ended for its silence has hung, whatever it had reached, and says how") {
  Case c = stopped("no output");
  c.report->failure = "nothing was printed for 5m; its processes were: python3 (812) S futex_do_wait";
  CHECK(c.classify().state == TrialState::kFailed);
  CHECK(c.classify().failure == "hung");
  CHECK(c.classify().reason == "limits.no_output ran out; " + c.report->failure);
  c.report->stop = "no metric";
  CHECK(c.classify().failure == "hung");
  CHECK(c.classify().reason == "limits.no_metric_time ran out; " + c.report->failure);
}

TEST_CASE("an attempt that went with its orchestrator runs again, however often that was") {
  Case c;
  c.report.reset();
  c.orphan = true;
  c.losses = 2;
  CHECK(c.classify().state == TrialState::kQueued);
}

TEST_CASE("the supervisor's own words are the reason of a command that cannot start") {
  Case c;
  c.report->failure = "cannot start \"pyton3\": No such file or directory";
  CHECK(c.classify().state == TrialState::kFailed);
  CHECK(c.classify().reason == c.report->failure);
}

TEST_CASE("argument elements are filled in place, and one that names an inactive parameter is left out") {
  const SearchSpace space({float_parameter("lr", 0, 1), float_parameter("momentum", 0, 1)});
  const std::vector<std::string> command = {"run", "--lr={{lr}}", "--momentum={{momentum}}",
                                            "{{seed}}:{{lr}}", "{{"};
  CHECK(fill_arguments(command, space, {{"lr", "0.001"}, {"seed", "7"}}) ==
        std::vector<std::string>{"run", "--lr=0.001", "7:0.001", "{{"});
  CHECK_THROWS_AS(fill_arguments({"{{nothing}}"}, space, {}), Error);
}

TEST_CASE("a value with shell characters stays one element") {
  const SearchSpace space({float_parameter("lr", 0, 1)});
  CHECK(fill_arguments({"--name={{lr}}"}, space, {{"lr", "; rm -rf / $(x)\n{{lr}}"}}) ==
        std::vector<std::string>{"--name=; rm -rf / $(x)\n{{lr}}"});
}

TEST_CASE("dotted names nest, and a name that is a value and a group is an error") {
  CHECK(nest_names({{"lora.r", 8}, {"lora.alpha", 16}, {"lr", 0.1}}) ==
        Json::parse(R"({"lora":{"alpha":16,"r":8},"lr":0.1})"));
  CHECK_THROWS_AS(nest_names({{"lora", 1}, {"lora.r", 8}}), Error);
}

TEST_CASE("trial seeds differ between trials, are the same each time, and fit into JSON") {
  CHECK(trial_seed(7, 1) == trial_seed(7, 1));
  CHECK(trial_seed(7, 1) != trial_seed(7, 2));
  CHECK(trial_seed(7, 1) != trial_seed(8, 1));
  for (int trial = 1; trial < 1000; ++trial) CHECK(trial_seed(7, trial) < (std::uint64_t{1} << 53));
}

TEST_CASE("an attempt carries the whole contract, and secrets apart from what is written") {
  Spec spec = small_spec();
  spec.environment["PLAIN"] = "text";
  spec.environment["SECRET"] = FromEnvironment{"TUNE_TEST_SECRET"};
  spec.fixed["epochs"] = 5;
  const ParameterSet parameters = {{"x", 0.5}, {"y", -0.25}};
  const StudyFrame study{spec, "/store/small", 7};
  unsetenv("TUNE_TEST_SECRET");
  CHECK_THROWS_AS(plan_attempt(study, {{3, 2}, "token", parameters, 1, false, {}}), Error);
  setenv("TUNE_TEST_SECRET", "hidden", 1);
  const Attempt attempt = plan_attempt(study, {{3, 2}, "token", parameters, 1, true, {{"loss", 4}}});
  CHECK(attempt.argv == std::vector<std::string>{"train", "--x=0.5", "--y=-0.25"});
  CHECK(attempt.environment.at("TUNE_TRIAL_FILE") == "/store/small/trials/3/attempts/2/trial.json");
  CHECK(attempt.environment.at("TUNE_OUTPUT_DIR") == "/store/small/trials/3/attempts/2/output");
  CHECK(attempt.environment.at("TUNE_CHECKPOINT_DIR") == "/store/small/trials/3/checkpoints");
  CHECK(attempt.environment.at("TUNE_ATTEMPT_TOKEN") == "token");
  CHECK(attempt.environment.at("TUNE_SEED") ==
        std::to_string(attempt.trial_json["seed"].get<std::uint64_t>()));
  CHECK(attempt.secret_environment == std::map<std::string, std::string>{{"SECRET", "hidden"}});
  CHECK_FALSE(attempt.environment.contains("SECRET"));
  CHECK(attempt.trial_json.dump().find("hidden") == std::string::npos);
  for (const char* key :
       {"schema", "study", "trial", "attempt", "token", "seed", "parameters", "fixed", "objective", "trainer",
        "budget", "precision", "checkpoint_dir", "output_dir", "resume_from"}) {
    CHECK(attempt.trial_json.contains(key));
  }
  CHECK(attempt.trial_json["fixed"]["epochs"] == 5);
  CHECK(attempt.trial_json["resume_from"] == "/store/small/trials/3/checkpoints");
  CHECK(attempt.steps_done.at("loss") == 4);
}

TEST_CASE("the poison guard wants identical early failures in a row and no success ever") {
  PoisonGuard guard(1);
  for (int i = 0; i < 4; ++i) guard.on_end(TrialState::kFailed, "crash", Milliseconds(50));
  CHECK_FALSE(guard.verdict());
  guard.on_end(TrialState::kFailed, "no_metric", Milliseconds(50));
  CHECK_FALSE(guard.verdict());
  for (int i = 0; i < 5; ++i) guard.on_end(TrialState::kFailed, "crash", Milliseconds(50));
  CHECK(guard.verdict());
  guard.on_end(TrialState::kCompleted, "", Milliseconds(50));
  CHECK_FALSE(guard.verdict());
  PoisonGuard patient(4);
  for (int i = 0; i < 7; ++i) patient.on_end(TrialState::kFailed, "crash", Milliseconds(50));
  CHECK_FALSE(patient.verdict());
  patient.on_end(TrialState::kFailed, "crash", Milliseconds(50));
  CHECK(patient.verdict());
  PoisonGuard continued(1, true);
  for (int i = 0; i < 9; ++i) continued.on_end(TrialState::kFailed, "crash", Milliseconds(50));
  CHECK_FALSE(continued.verdict());
  PoisonGuard late(1);
  for (int i = 0; i < 50; ++i) late.on_end(TrialState::kFailed, "oom", Milliseconds(60'000));
  CHECK_FALSE(late.verdict());
}

}  // namespace
}  // namespace tune::test

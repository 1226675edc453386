#include "tuner/engine/attempt/outcome.h"

#include <cerrno>
#include <csignal>
#include <limits>

#include "tuner/engine/attempt/attempt_plan.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
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
  std::string log_end = {};
  OnTrialTime on_trial_time = OnTrialTime::kComplete;
  bool has_saved = false;
  AttemptOutcome classify() const {
    AttemptEnd end{report,
                   objective,
                   curve,
                   builtin,
                   losses,
                   orphan,
                   "the rule's words",
                   "Traceback: out of luck",
                   {},
                   unread,
                   log_end,
                   on_trial_time};
    end.has_saved = has_saved;
    return engine::classify(end);
  }
};

Case exits(int code) {
  Case c;
  c.report->exit_code = code;
  return c;
}

Case stopped(StopReason reason, int code = 143) {
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
  c.report->stop = StopReason::kRule;
  CHECK_FALSE(c.classify().value);
  c.report->stop.reset();
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
  c.report->stop = StopReason::kTimeout;
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
  CHECK(stopped(StopReason::kRule, 0).classify().state == TrialState::kStopped);
  CHECK(stopped(StopReason::kRule, 0).classify().reason == "the rule's words");
  CHECK(stopped(StopReason::kRule, 0).classify().value == 0.4);
  CHECK(stopped(StopReason::kTimeLimit, 0).classify().state == TrialState::kStopped);
  CHECK(stopped(StopReason::kPause, 0).classify().state == TrialState::kPaused);
  CHECK(stopped(StopReason::kDrain, 0).classify().state == TrialState::kQueued);
  CHECK(stopped(StopReason::kOrphaned, 0).classify().state == TrialState::kQueued);
}

TEST_CASE("what is taken away runs again, and not for ever where it saves nothing") {
  Case c = stopped(StopReason::kTerminated);
  CHECK(c.classify().state == TrialState::kQueued);
  CHECK(c.classify().retried == kTakenAway);
  c.losses = 2;
  const AttemptOutcome last = c.classify();
  CHECK(last.state == TrialState::kFailed);
  CHECK(last.failure == "terminated");
  CHECK(last.reason.starts_with("lost 3 times, at last to a signal"));
  CHECK(last.reason.find("$TUNE_CHECKPOINT_DIR") != std::string::npos);
  c.has_saved = true;
  CHECK(c.classify().state == TrialState::kQueued);
  CHECK(c.classify().retried.empty());
  // A machine that is shut down ends the tune there as well.
  c.has_saved = false;
  c.orphan = true;
  CHECK(c.classify().state == TrialState::kQueued);
  CHECK(c.classify().retried.empty());
}

TEST_CASE("a node that does not see the attempt's files is no fault of the trial's, and is named") {
  Case c = exits(143);
  CHECK(c.classify().failure == "crash");
  c.log_end =
      "loss=1\ntune: n2 does not see /shared/trial.json\nsrun: error: n2: task 1: Exited with exit code 87\n";
  CHECK(c.classify().state == TrialState::kQueued);
  CHECK(c.classify().retried == kBlindNode);
  CHECK(c.classify().reason.starts_with("lost: node n2 does not see /shared/trial.json: mount it there"));
  c.losses = 2;
  CHECK(c.classify().failure == "node");
}

TEST_CASE("a trial that runs out of time counts with what it had reached, marked as cut") {
  Case c = stopped(StopReason::kTimeout, 0);
  const AttemptOutcome cut = c.classify();
  CHECK(cut.state == TrialState::kCompleted);
  CHECK(cut.value == 0.4);
  CHECK(cut.cut == "trial_time");
  CHECK(cut.reason == "limits.trial_time ran out: cut after step 4, and counts with what it had reached");
  c.objective.reduce = Reduce::kLast;
  CHECK(c.classify().value == 0.3);
  SECTION("not without a value") {
    c.curve = {{1, kNaN}};
    CHECK(c.classify().state == TrialState::kFailed);
    CHECK(c.classify().failure == "timeout");
    CHECK(c.classify().cut.empty());
  }
  SECTION("not where the spec says that it fails") {
    c.on_trial_time = OnTrialTime::kFail;
    CHECK(c.classify().failure == "timeout");
    CHECK(c.classify().reason == "limits.trial_time ran out; mAP had reached 0.3 by step 4");
  }
}

TEST_CASE(
    "a trainer that could not be started is no failure, and what may pass is told from what must be mended") {
  for (const auto& [reason, kind] : {std::pair{ENOENT, Fault::Kind::kSetUp},
                                     {EACCES, Fault::Kind::kSetUp},
                                     {E2BIG, Fault::Kind::kSetUp},
                                     {EAGAIN, Fault::Kind::kLack},
                                     {ENOMEM, Fault::Kind::kLack},
                                     {EMFILE, Fault::Kind::kLack},
                                     {ETXTBSY, Fault::Kind::kLack}}) {
    Case c = exits(127);
    c.report->start_error = reason;
    c.report->failure = "cannot start \"train\"";
    const AttemptOutcome outcome = c.classify();
    CHECK(outcome.state == TrialState::kQueued);
    CHECK(outcome.failure.empty());
    REQUIRE(outcome.fault.has_value());
    CHECK(outcome.fault->kind == kind);
    CHECK(outcome.fault->message == "cannot start \"train\"");
    CHECK_FALSE(outcome.fault->hint.empty());
  }
}

TEST_CASE("a program of one's own that runs out of memory is recorded as that") {
  Case c = exits(1);
  CHECK(c.classify().failure == "crash");
  SECTION("in its own words") {
    for (const char* words :
         {"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
          "RuntimeError: CUDA error: out of memory", "MemoryError",
          "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while",
          "terminate called after throwing an instance of 'std::bad_alloc'",
          "RuntimeError: [enforce fail at alloc_cpu.cpp:114] . DefaultCPUAllocator: can't "
          "allocate memory: you tried"}) {
      c.log_end = std::string("step 3\n") + words + "\nterminated\n";
      CHECK(c.classify().failure == "oom");
      CHECK(c.classify().reason == "out of memory: exit code 1: Traceback: out of luck");
    }
  }
  SECTION("by the kernel, itself or the child of a shell") {
    c.report->out_of_memory = true;
    CHECK(c.classify().failure == "crash");  // another process was killed meanwhile
    c.report->exit_code = 137;
    CHECK(c.classify().failure == "oom");
    c.report->exit_code.reset();
    c.report->signal = SIGKILL;
    CHECK(c.classify().failure == "oom");
    CHECK(c.classify().reason.starts_with("killed by the kernel, which had run out of memory"));
    c.report->out_of_memory = false;
    CHECK(c.classify().failure == "crash");
  }
  SECTION("not when it ended well") {
    c.report->exit_code = 0;
    c.log_end = "CUDA out of memory: going on with half the batch";
    CHECK(c.classify().state == TrialState::kCompleted);
  }
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
  Case unheard = stopped(StopReason::kUnheard);
  CHECK(unheard.classify().state == TrialState::kQueued);
  unheard.losses = 2;
  CHECK(unheard.classify().failure == "lost");
}

TEST_CASE("a trial that was ended for its silence has hung, whatever it had reached, and says how") {
  Case c = stopped(StopReason::kNoOutput);
  c.report->failure = "nothing was printed for 5m; its processes were: python3 (812) S futex_do_wait";
  CHECK(c.classify().state == TrialState::kFailed);
  CHECK(c.classify().failure == "hung");
  CHECK(c.classify().reason == "limits.no_output ran out; " + c.report->failure);
  c.report->stop = StopReason::kNoMetric;
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

TEST_CASE("an option in an element of its own goes with the value that is left out") {
  Parameter switch_parameter;
  switch_parameter.name = "amp";
  switch_parameter.type = ParameterType::kCategorical;
  switch_parameter.values = {"--amp", nullptr};
  Parameter plain = switch_parameter;
  plain.name = "schedule";
  plain.values = {"cosine", nullptr};
  const SearchSpace space(
      {float_parameter("beta1", 0, 1), float_parameter("beta2", 0, 1), switch_parameter, plain});
  const auto fill = [&](const std::vector<std::string>& command, const std::map<std::string, Json>& values) {
    return fill_arguments(command, space, values);
  };
  using Words = std::vector<std::string>;
  // Inactive, and null.
  CHECK(fill({"t", "--beta2", "{{beta2}}", "x"}, {}) == Words{"t", "x"});
  CHECK(fill({"t", "--schedule", "{{schedule}}"}, {{"schedule", nullptr}}) == Words{"t"});
  CHECK(fill({"t", "--schedule", "{{schedule}}"}, {{"schedule", "cosine"}}) ==
        Words{"t", "--schedule", "cosine"});
  CHECK(fill({"t", "--data", "/data/{{schedule}}/x"}, {{"schedule", nullptr}}) == Words{"t"});
  CHECK(fill({"t", "--betas", "{{beta1}}", "{{beta2}}"}, {}) == Words{"t"});
  CHECK(fill({"t", "--betas", "{{beta1}}", "{{beta2}}"}, {{"beta1", 0.9}}) == Words{"t", "--betas", "0.9"});
  CHECK(fill({"t", "--note", "{{note}}"}, {{"note", nullptr}}) == Words{"t"});
  // What is no option that waits for a value stays.
  CHECK(fill({"t", "--verbose", "--beta2={{beta2}}"}, {}) == Words{"t", "--verbose"});
  CHECK(fill({"t", "--verbose", "{{amp}}"}, {{"amp", nullptr}}) == Words{"t", "--verbose"});
  CHECK(fill({"t", "--verbose", "{{amp}}"}, {{"amp", "--amp"}}) == Words{"t", "--verbose", "--amp"});
  CHECK(fill({"t", "--x=1", "{{beta2}}"}, {}) == Words{"t", "--x=1"});
  CHECK(fill({"t", "--", "{{beta2}}"}, {}) == Words{"t", "--"});
  CHECK(fill({"t", "-1", "{{beta2}}"}, {}) == Words{"t", "-1"});
  CHECK(fill({"-t", "{{beta2}}"}, {}) == Words{"-t"});
  CHECK(fill({"t", "file", "{{beta2}}"}, {}) == Words{"t", "file"});
}

TEST_CASE("a negative number that begins an element has no exponent, elsewhere it is as short as it can be") {
  const SearchSpace space({float_parameter("x", -1, 1)});
  CHECK(fill_arguments({"t", "--x", "{{x}}", "--x={{x}}", "{{x}},1"}, space, {{"x", -2.5e-05}}) ==
        std::vector<std::string>{"t", "--x", "-0.000025", "--x=-2.5e-05", "-0.000025,1"});
  CHECK(fill_arguments({"t", "{{x}}"}, space, {{"x", 2.5e-05}}) == std::vector<std::string>{"t", "2.5e-05"});
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
  for (int trial = 1; trial < 1000; ++trial) CHECK(trial_seed(7, trial) < (std::uint64_t{1} << 31));
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

}  // namespace
}  // namespace tune::tests

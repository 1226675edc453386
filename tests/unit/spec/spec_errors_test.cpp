#include "support/catch.h"
#include "support/spec_text.h"
#include "tuner/os/atomic_file.h"

using namespace tune;
using namespace tune::tests;
using Catch::Matchers::Contains;
using Row = std::tuple<std::string, std::string, std::string>;

TEST_CASE("a spec of many mistakes names all of them at once", "[spec]") {
  const std::string folder = std::string(TUNE_SOURCE_DIR) + "/tests/unit/spec/golden/";
  std::string text;
  try {
    parse_spec(read_file(folder + "many_mistakes.json"), "many_mistakes.json", "/folder");
  } catch (const SpecError& error) {
    text = std::string(error.what()) + "\n";
    REQUIRE(error.code() == ExitCode::kBadSpec);
    for (const Problem& problem : error.problems()) REQUIRE(problem.line > 0);
  }
  REQUIRE(text == read_file(folder + "many_mistakes.txt"));
}

TEST_CASE("a grid without a limit is told how many points it has, which is the limit to name", "[spec]") {
  const auto problem = [](const char* strategy, const char* limits) {
    OrderedJson spec =
        OrderedJson::parse(R"json({"study": "s", "objective": {"metric": "loss", "goal": "minimize"},
      "parameters": {"a": {"type": "int", "min": 1, "max": 4},
                     "b": {"type": "categorical", "values": ["x", "y"]},
                     "c": {"type": "float", "min": 0, "max": 1, "levels": 3, "when": {"b": "x"}}},
      "command": ["t", "{{a}}", "{{b}}", "{{c}}"], "metrics": [{"name": "loss", "regex": "loss=(.*)"}]})json");
    spec["strategy"]["name"] = strategy;
    spec["limits"] = OrderedJson::parse(limits);
    try {
      parse_spec(spec.dump(), "s.json", "/folder");
    } catch (const SpecError& error) {
      return error.problems().at(0).message + " | " + error.problems().at(0).hint;
    }
    return std::string();
  };
  CHECK(problem("grid", R"({"parallel": 2})") ==
        "one limit at least is always named, also of a grid; this one has 16 points | set \"trials\": 16");
  CHECK_THAT(problem("sobol", R"({"parallel": 2})"), Contains("the search would never end"));
  CHECK(problem("grid", R"({"trials": 16})").empty());
}

TEST_CASE("one mistake is one problem with its pointer, its cause and its cure", "[spec]") {
  const auto [pointer, json, expected] = GENERATE(table<std::string, std::string, std::string>({
      // Keys
      {"/study", "", "/study: the key \"study\" is missing"},
      {"/limits", "", "/limits: the key \"limits\" is missing"},
      {"/parameter", "{}", "/parameter: unknown key \"parameter\" | did you mean \"parameters\"?"},
      {"/trials", "3", "/trials: unknown key \"trials\" | it belongs in \"limits\""},
      {"/objective/zzz", "3", "/objective/zzz: unknown key \"zzz\" | valid keys: metric, goal, reduce"},
      {"/a~1b", "3", "/a~1b: unknown key \"a/b\""},
      // Kinds
      {"/study", "3", "/study: must be a text, but is the number 3 | put it in quotes: \"3\""},
      {"/limits/trials", "\"3\"",
       "/limits/trials: must be a whole number, but is the text \"3\" | write it without quotes"},
      {"/limits/trials", "2.5", "/limits/trials: must be a whole number, but is the number 2.5"},
      {"/limits/trials", "null", "/limits/trials: must be a whole number, but is null"},
      {"/limits/time", "60",
       "/limits/time: must be a duration such as \"20m\", but is the number 60 | add a unit"},
      {"/limits/time", "\"0s\"", "/limits/time: the duration must be longer than nothing"},
      {"/limits/time", "\"1 hour\"", "/limits/time: \"1 hour\" is not a duration: \" hour\" is not a unit"},
      {"/command", "\"train\"", "/command: must be an array, but is the text \"train\" | write [\"train\"]"},
      {"/command", "\"python3 a.py\"",
       "/command: must be an array, but is the text \"python3 a.py\" | write [\"python3\", \"a.py\"]"},
      {"/command/1", "5", "/command/1: must be a text, but is the number 5 | put it in quotes: \"5\""},
      {"/strategy", "\"random\"",
       "/strategy: must be an object, but is the text \"random\" | write {\"name\": \"random\"}"},
      {"/metrics/0", "[]", "/metrics/0: must be an object, but is an array"},
      {"/parameters", "[]", "/parameters: must be an object, but is an array"},
      {"/parameters", "{}", "/parameters: \"parameters\" is empty, so there is nothing to search"},
      {"/fixed", "3", "/fixed: must be an object, but is the number 3"},
      // Ranges
      {"/limits/trials", "0", "/limits/trials: 0 is too small | the least is 1"},
      {"/limits/trials", "3000000000", "/limits/trials: 3000000000 is too large | the most is 2147483647"},
      {"/strategy/seed", "9007199254740992",
       "/strategy/seed: 9007199254740992 is too large | the most is 9007199254740991"},
      {"/cost/usd_per_hour", "-0.5", "/cost/usd_per_hour: -0.5 is too small | the least is 0"},
      {"/resources/gpus_per_trial", "-1", "/resources/gpus_per_trial: -1 is too small"},
      {"/resources/trials_per_gpu", "0", "/resources/trials_per_gpu: 0 is too small"},
      {"/resources/processes_per_trial", "65",
       "/resources/processes_per_trial: 65 is too large | the most is 64"},
      {"/resources", R"({"gpus_per_trial": 2, "processes_per_trial": 3})",
       "/resources/processes_per_trial: a trial has 2 GPUs, and one process for each | leave it out"},
      {"/early_stopping/start_step", "0", "/early_stopping/start_step: 0 is too small"},
      {"/limits", "{\"parallel\": 2}",
       "/limits: the search would never end | set \"trials\", \"time\", \"gpu_hours\" or \"cost_usd\""},
      // Choices
      {"/objective/goal", "\"max\"",
       "/objective/goal: \"max\" is not a valid goal | did you mean \"maximize\"?"},
      {"/objective/reduce", "\"mean\"",
       "/objective/reduce: \"mean\" is not a valid reduce | valid are: last, best, min, max"},
      {"/strategy/name", "\"baysian\"",
       "/strategy/name: \"baysian\" is not a valid name | did you mean \"bayesian\"?"},
      {"/parameters/lr/scale", "\"ReverseLogarithmic\"",
       "/parameters/lr/scale: \"ReverseLogarithmic\" is not a valid scale | use \"reverse_log\""},
      {"/parameters/lr/type", "\"loguniform\"",
       "/parameters/lr/type: \"loguniform\" is not a valid type | use \"float\", with \"scale\": \"log\""},
      // Names
      {"/study", "\"models\"", "/study: \"models\" is not valid here"},
      {"/study", "\"../x\"", "/study: \"../x\" is not valid here"},
      {"/study", "\"\"", "/study: \"\" is not valid here"},
      {"/promote/model", "\"staging\"", "/promote/model: \"staging\" is not valid here"},
      {"/promote/model", "\"registry.db-journal\"",
       "/promote/model: \"registry.db-journal\" is not valid here"},
      {"/parameters/2nd", R"({"type": "int", "min": 1, "max": 2})",
       "/parameters/2nd: \"2nd\" is not a valid name"},
      {"/parameters/a..b", R"({"type": "int", "min": 1, "max": 2})",
       "/parameters/a..b: \"a..b\" has an empty part"},
      {"/parameters/lr.warm", R"({"type": "int", "min": 1, "max": 2})",
       "/parameters/lr.warm: \"lr.warm\" lies within \"lr\", which is a value of its own (line 8)"},
      {"/fixed/lr", "1", "/fixed/lr: \"lr\" is also a parameter"},
      {"/fixed/lr.x", "1", "/fixed/lr.x: \"lr.x\" lies within \"lr\""},
      {"/environment/A=B", "\"x\"", "/environment/A=B: \"A=B\" is not a valid name"},
      {"/environment/TUNE_SEED", "\"1\"", "/environment/TUNE_SEED: \"TUNE_SEED\" is set by tune itself"},
      {"/environment/A", "1",
       "/environment/A: must be a text or {\"from_env\": NAME}, but is the number 1 | put it in quotes: "
       "\"1\""},
      {"/environment/A", "{\"from\": \"B\"}",
       "/environment/A/from: unknown key \"from\" | did you mean \"from_env\"?"},
      {"/environment/A", "\"a\\u0000b\"", "/environment/A: this contains a NUL character"},
      {"/fixed/text", "\"a\\u0000b\"", "/fixed/text: this contains a NUL character"},
      // Metrics
      {"/objective/metric", "\"acuracy\"",
       "/objective/metric: \"acuracy\" is not among the metrics | did you mean \"accuracy\"?"},
      {"/metrics/1", R"({"name": "accuracy"})", "/metrics/1/name: the metric \"accuracy\" is there twice"},
      {"/metrics/0/regex", "\"\"", "/metrics/0/regex: \"\" is not valid here: it must not be empty"},
      {"/metrics/1", R"({"name": "x", "step": "a"})", "/metrics/1/step: \"step\" needs \"regex\""},
      // Both, neither
      {"/trainer", R"({"task": "detection"})", "/command: \"trainer\" and \"command\" exclude each other"},
      {"/command", "", ": there is neither \"trainer\" nor \"command\""},
      {"/command", "[]", "/command: \"command\" is empty"},
      {"/command/0", "\"\"", "/command/0: the program's name is empty"},
  }));
  const std::string problems = problems_of(changed(pointer, json));
  CAPTURE(pointer, json);
  REQUIRE_THAT(problems, Contains(expected));
}

TEST_CASE("ranges that cannot be searched are named", "[spec]") {
  const auto [parameter, expected] = GENERATE(table<std::string, std::string>({
      {R"({"type": "float", "min": 0, "max": 1, "scale": "log"})",
       "/scale: a log scale needs min > 0, but min is 0"},
      {R"({"type": "float", "min": 0.5, "max": 1, "scale": "reverse_log"})",
       "/scale: a reverse_log scale needs 0 <= min and max < 1"},
      {R"({"type": "float", "min": -0.5, "max": 0.5, "scale": "reverse_log"})",
       "/scale: a reverse_log scale needs"},
      {R"({"type": "float", "min": 2, "max": 1})", "/min: min 2 is greater than max 1"},
      {R"({"type": "float", "min": -1.7e308, "max": 1.7e308})", "/min: the range is too wide"},
      {R"({"type": "float", "min": 0})", "/max: the key \"max\" is missing"},
      {R"({"type": "int", "min": 0.5, "max": 3})", "/min: min 0.5 of an int must be a whole number"},
      {R"({"type": "int", "min": 0, "max": 1e17})", "/max: max 1e+17 is beyond 2^53"},
      {R"({"type": "int", "min": 0, "max": 9, "step": 1.5})",
       "/step: step 1.5 of an int must be a whole number"},
      {R"({"type": "float", "min": 0, "max": 1, "step": 0})", "/step: step 0 is not greater than 0"},
      {R"({"type": "float", "min": 0, "max": 1, "step": 2})",
       "/step: step 2 does not fit: the range is only 1 wide"},
      {R"({"type": "float", "min": 0, "max": 1, "step": 0.3})",
       "/step: step 0.3 does not fit: from min 0 it reaches 0.9, not max 1 | set max to 0.9"},
      {R"({"type": "float", "min": 0, "max": 1, "step": 1e-15})",
       "/step: step 1e-15 makes more than 2^40 values"},
      {R"({"type": "float", "min": 0, "max": 1, "levels": 1})", "/levels: 1 is too small"},
      {R"({"type": "float", "min": 0, "max": 1, "values": [1]})",
       "/values: \"values\" has no meaning for a parameter of type \"float\""},
      {R"({"type": "categorical", "values": [1], "scale": "log"})",
       "/scale: \"scale\" has no meaning for a parameter of type \"categorical\""},
      {R"({"type": "categorical"})", "/values: the key \"values\" is missing"},
      {R"({"type": "categorical", "values": []})", "/values: \"values\" is empty"},
      {R"({"type": "categorical", "values": [1, 2, 1.0]})",
       "/values/2: 1.0 is there twice | remove one; it is also number 1"},
      {R"({"min": 0, "max": 1})", "/type: the key \"type\" is missing"},
  }));
  CAPTURE(parameter);
  const std::string problems = problems_of(changed("/parameters/p", parameter));
  REQUIRE_THAT(problems, Catch::Matchers::StartsWith("/parameters/p" + expected));
  REQUIRE(std::count(problems.begin(), problems.end(), '\n') == 1);
}

TEST_CASE("conditions that can never hold are named", "[spec]") {
  const auto [when, expected] = GENERATE(table<std::string, std::string>({
      {R"({"optimiser": "sgd"})",
       "/optimiser: \"optimiser\" is not a parameter | did you mean \"optimizer\"?"},
      {R"({"epochs": 3})", "/epochs: \"epochs\" is not a parameter | it is fixed"},
      {R"({"p": 1})", "/p: a parameter cannot depend on itself"},
      {R"({"optimizer": "lamb"})",
       "/optimizer: a value that \"optimizer\" never has: \"lamb\" is not one of its values"},
      {R"({"optimizer": ["sgd", "lamb"]})", "/optimizer/1: a value that \"optimizer\" never has"},
      {R"({"optimizer": []})", "/optimizer: the list of values is empty"},
      {R"({"lr": 0.01})", "/lr: \"lr\" is continuous"},
      {R"({})", ": \"when\" is empty"},
  }));
  OrderedJson document = valid_document();
  document["fixed"] = {{"epochs", 3}};
  document["parameters"]["p"] = {{"type", "int"}, {"min", 1}, {"max", 2}, {"when", OrderedJson::parse(when)}};
  CAPTURE(when);
  const std::string problems = problems_of(document.dump());
  REQUIRE_THAT(problems, Catch::Matchers::StartsWith("/parameters/p/when" + expected));
  REQUIRE(std::count(problems.begin(), problems.end(), '\n') == 1);
}

TEST_CASE("a cycle of conditions is shown once, as a path", "[spec]") {
  OrderedJson document = valid_document();
  const auto depends_on = [](const char* parent) {
    return OrderedJson{{"type", "int"}, {"min", 1}, {"max", 2}, {"when", {{parent, 1}}}};
  };
  document["parameters"]["a"] = depends_on("c");
  document["parameters"]["b"] = depends_on("a");
  document["parameters"]["c"] = depends_on("b");
  document["parameters"]["d"] = depends_on("a");
  REQUIRE(problems_of(document.dump()) ==
          "/parameters/a/when: the conditions form a cycle: a -> c -> b -> a | remove one of them\n");
}

TEST_CASE("a cycle that a parameter only leads to is shown at a parameter of the cycle", "[spec]") {
  OrderedJson document = valid_document();
  const auto depends_on = [](const char* parent) {
    return OrderedJson{{"type", "int"}, {"min", 1}, {"max", 2}, {"when", {{parent, 1}}}};
  };
  document["parameters"]["a"] = depends_on("b");
  document["parameters"]["b"] = depends_on("c");
  document["parameters"]["c"] = depends_on("b");
  REQUIRE(problems_of(document.dump()) ==
          "/parameters/b/when: the conditions form a cycle: b -> c -> b | remove one of them\n");
}

// Walked path by path, the conditions of these have 2^300 paths to the first parameter.
TEST_CASE("conditions that branch and join again are looked at once each", "[spec]") {
  OrderedJson document = valid_document();
  const OrderedJson plain = {{"type", "int"}, {"min", 1}, {"max", 2}};
  document["parameters"] = {{"a0", plain}, {"b0", plain}};
  document["command"] = {"true"};
  for (int level = 1; level <= 300; ++level)
    for (const char* side : {"a", "b"}) {
      OrderedJson child = plain;
      for (const char* parent : {"a", "b"}) child["when"][parent + std::to_string(level - 1)] = 1;
      document["parameters"][side + std::to_string(level)] = child;
    }
  REQUIRE(problems_of(document.dump()) == "");
}

TEST_CASE("more parameters than can be searched are refused as such, not one by one", "[spec]") {
  OrderedJson document = valid_document();
  document["command"] = {"true"};
  for (int i = 0; i < 1000; ++i) document["parameters"]["p" + std::to_string(i)] = nullptr;
  REQUIRE(problems_of(document.dump()) ==
          "/parameters: \"parameters\" has 1002 entries | the most is 1000\n");
}

TEST_CASE("more trials at once than a machine can carry are refused", "[spec]") {
  REQUIRE(problems_of(changed("/limits/parallel", "4096")) == "");
  REQUIRE(problems_of(changed("/limits/parallel", "1000000000")) ==
          "/limits/parallel: 1000000000 is too large | the most is 4096\n");
}

TEST_CASE("a bound that no double holds is named as it is written", "[spec]") {
  REQUIRE_THAT(
      problems_of(changed("/parameters/lr", R"({"type": "int", "min": 1, "max": 9223372036854775807})")),
      Contains("max 9223372036854775807 is beyond 2^53"));
  REQUIRE_THAT(problems_of(changed("/limits/trials", "9223372036854775807")),
               Contains("9223372036854775807 is too large"));
}

TEST_CASE("names and texts of a spec reach a message without control characters, and not at any length",
          "[spec]") {
  OrderedJson document = valid_document();
  document["parameters"]["a\nb\x1b[31m\xc2\x9b"] = {{"type", "int"}};
  document["study"] = std::string(100'000, '/');
  document["parameters"][std::string(100'000, '/')] = 3;
  try {
    parse(document.dump());
    FAIL("such a spec must be refused");
  } catch (const SpecError& error) {
    const std::string text = error.what();
    CHECK_THAT(text, Contains("/parameters/a\\nb\\u001b[31m\\u009b: "));
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.size() < 10'000);
  }
}

TEST_CASE("points to try first must be points of the space", "[spec]") {
  const auto [point, expected] = GENERATE(table<std::string, std::string>({
      {R"({"lr": 1})", "/0/lr: 1 is greater than its max 0.1"},
      {R"({"lr": "0.01"})", "/0/lr: \"0.01\" is not a number"},
      {R"({"learning": 1})", "/0/learning: \"learning\" is not a parameter"},
      {R"({"optimizer": "adma"})", "/0/optimizer: \"adma\" is not one of its values"},
      {R"({"optimizer": "adam", "nesterov": true})",
       "/0/nesterov: \"nesterov\" is not active while \"optimizer\" is \"adam\""},
      {"3", "/0: must be an object, but is the number 3"},
  }));
  OrderedJson document = valid_document();
  document["parameters"]["nesterov"] =
      OrderedJson::parse(R"({"type": "categorical", "values": [true, false], "when": {"optimizer": "sgd"}})");
  document["strategy"]["try_first"] = OrderedJson::array({OrderedJson::parse(point)});
  CAPTURE(point);
  REQUIRE_THAT(problems_of(document.dump()), Catch::Matchers::StartsWith("/strategy/try_first" + expected));
}

TEST_CASE("a grid needs every range to have points", "[spec]") {
  REQUIRE_THAT(problems_of(changed("/strategy", R"({"name": "grid"})")),
               Contains("/parameters/lr: a grid cannot walk the continuous range"));
  OrderedJson document = valid_document();
  document["strategy"]["name"] = "grid";
  document["parameters"]["lr"]["levels"] = 5;
  REQUIRE(problems_of(document.dump()).empty());
}

TEST_CASE("commands that would go wrong later are refused", "[spec]") {
  const auto [command, expected] = GENERATE(table<std::string, std::string>({
      {R"(["t", "{{learning_rate}}"])",
       "/command/1: \"{{learning_rate}}\" names no parameter, fixed value or built-in | valid names: lr, "
       "optimizer"},
      {R"(["t", "{{optimiser}}"])", "did you mean \"{{optimizer}}\"?"},
      {R"(["t", "{{ lr }}"])", "did you mean \"{{lr}}\"?"},
      {R"(["t", "--lr={{lr"])", "/command/1: a \"{{\" is not closed"},
      {R"(["sh", "-c", "train {{lr}}"])",
       "/command/2: a shell would run the value of \"{{lr}}\" as program text | pass it as an argument"},
      {R"(["/usr/bin/env", "bash", "-euo", "pipefail", "-c", "train {{lr}}"])",
       "/command/5: a shell would run"},
      {R"(["bash", "-lc", "-x", "train {{lr}}"])", "/command/3: a shell would run"},
      {R"(["t", "{{seed}}"])", "/command/1: \"{{seed}}\" is tune's own, but there is also"},
      {R"(["t", "a\u0000b"])", "/command/1: this contains a NUL character"},
  }));
  OrderedJson document = valid_document();
  document["fixed"] = {{"seed", 3}};
  document["command"] = OrderedJson::parse(command);
  CAPTURE(command);
  REQUIRE_THAT(problems_of(document.dump()), Contains(expected));
}

TEST_CASE("commands that are safe are accepted", "[spec]") {
  const std::string command =
      GENERATE(as<std::string>(), R"(["sh", "-c", "train \"$1\"", "sh", "{{lr}}"])",
               R"(["bash", "train.sh", "{{lr}}"])", R"(["t", "--flag={{flag}}", "-x{{flag}}"])",
               R"(["t", "{\"a\":{\"b\":1}}", "{{checkpoint_dir}}/x", "{{trial_file}}"])",
               R"json(["python3", "-c", "print(1)", "{{lr}}"])json");
  OrderedJson document = valid_document();
  document["parameters"]["flag"] =
      OrderedJson::parse(R"({"type": "categorical", "values": ["fast", "-O2"]})");
  document["command"] = OrderedJson::parse(command);
  REQUIRE(problems_of(document.dump()) == "");
}

TEST_CASE("what this version does not have yet is refused by name", "[spec]") {
  const std::string pointer = "/limits/until", problems = problems_of(changed(pointer, "\"x\""));
  REQUIRE_THAT(problems,
               Catch::Matchers::StartsWith(pointer + ": ") && Contains("is not implemented in this version"));
  REQUIRE(std::count(problems.begin(), problems.end(), '\n') == 1);
}

TEST_CASE("a rule's keys belong to it, and what they say of a training fits together", "[spec]") {
  const auto [stopping, expected] = GENERATE(table<std::string, std::string>({
      {R"({"rule": "median", "form": "pause"})",
       "/early_stopping/form: \"form\" is no key of the rule \"median\""},
      {R"({"rule": "asha", "risk": 0.1})", "/early_stopping/risk: \"risk\" is no key of the rule \"asha\""},
      {R"({"rule": "asha", "brackets": 2})", "/early_stopping/brackets"},
      {R"({"rule": "asha", "max_step": "epoch"})", "\"epoch\" is neither a parameter nor a fixed value"},
      {R"({"rule": "asha", "max_step": 0.5})", "/early_stopping/max_step: must be a whole number from 1"},
      {R"({"rule": "asha", "max_step": 5, "start_step": 5})",
       "/early_stopping/start_step: nothing is judged before"},
      {R"({"rule": "asha", "form": "pausing"})", "use \"pause\""},
  }));
  OrderedJson document = valid_document();
  document["early_stopping"] = OrderedJson::parse(stopping);
  CAPTURE(stopping);
  REQUIRE_THAT(problems_of(document.dump()), Contains(expected));
}

TEST_CASE("the strategy hyperband brings its rule and the ends of its resource", "[spec]") {
  OrderedJson document = valid_document();
  document.erase("early_stopping");
  document["strategy"] = OrderedJson::parse(R"({"name": "hyperband", "min_resource": 2, "max_resource": 9})");
  const Spec spec = parse_spec(document.dump(), "s.json", "/");
  CHECK(spec.early_stopping.rule == "hyperband");
  CHECK(spec.early_stopping.start_step == 2);
  CHECK(spec.early_stopping.max_step == 9);
  document["early_stopping"] = OrderedJson::parse(R"({"rule": "median"})");
  CHECK_THAT(problems_of(document.dump()), Contains("brings its own rule"));
  document.erase("early_stopping");
  document["strategy"]["min_resource"] = 9;
  CHECK_THAT(problems_of(document.dump()), Contains("/strategy/min_resource: must be below max_resource, 9"));
  document["strategy"]["name"] = "random";
  CHECK_THAT(problems_of(document.dump()), Contains("\"min_resource\" is no key of the strategy \"random\""));
}

TEST_CASE("the length of a training is found under the names that trainers use", "[spec]") {
  OrderedJson document = valid_document();
  document["early_stopping"] = OrderedJson::parse(R"({"rule": "asha"})");
  CHECK_FALSE(parse_spec(document.dump(), "s.json", "/").early_stopping.max_step);
  document["fixed"]["num_epochs"] = 12;
  CHECK(parse_spec(document.dump(), "s.json", "/").early_stopping.max_step == 12);
  document["early_stopping"]["max_step"] = "lr";
  CHECK(parse_spec(document.dump(), "s.json", "/").early_stopping.max_step_parameter == "lr");
}

TEST_CASE("replicates need as many trials, something that is searched, and an end of the search", "[spec]") {
  OrderedJson document = valid_document();
  document["limits"] = {{"trials", 20}};
  document["replicates"] = {{"top", 3}, {"seeds", 2}};
  const Spec spec = parse_spec(document.dump(), "s.json", "/");
  REQUIRE(spec.replicates);
  CHECK(spec.replicates->top == 3);
  CHECK(spec.replicates->seeds == 2);
  CHECK_FALSE(parse_spec(valid_document().dump(), "s.json", "/").replicates);
  const auto problem = [&](const char* replicates, const char* limits) {
    document["replicates"] = OrderedJson::parse(replicates);
    document["limits"] = OrderedJson::parse(limits);
    return problems_of(document.dump());
  };
  CHECK_THAT(problem("3", R"({"trials": 20})"),
             Contains("/replicates: must be an object, but is the number 3"));
  CHECK_THAT(problem(R"({"top": 3})", R"({"trials": 20})"),
             Contains("/replicates/seeds: the key \"seeds\" is missing"));
  CHECK_THAT(problem(R"({"top": 3, "seeds": 0})", R"({"trials": 20})"),
             Contains("/replicates/seeds: 0 is too small | the least is 1"));
  CHECK_THAT(problem(R"({"top": 0, "seeds": 3})", R"({"trials": 20})"),
             Contains("/replicates/top: 0 is too small"));
  CHECK_THAT(
      problem(R"({"top": 30, "seeds": 3})", R"({"trials": 20})"),
      Contains(
          "/replicates/top: there are never 30 best trials of 20, the limit of trials | take 20 at most"));
  CHECK_THAT(problem(R"({"top": 3, "seeds": 3})", R"({"time": "2h"})"),
             Contains("/replicates: the search itself would take all there is"));
  CHECK(problem(R"({"top": 3, "seeds": 3})", R"({"time": "2h", "no_improvement": 10})").empty());
  document["parameters"] = OrderedJson::object();
  document["strategy"] = {{"name", "random"}};
  document["command"] = {"train"};
  CHECK_THAT(
      problem(R"({"top": 3, "seeds": 3})", R"({"trials": 20})"),
      Contains("/replicates: nothing is searched, so every trial is the same on another seed already"));
}

TEST_CASE("convergence needs a strategy that expects something of its trials", "[spec]") {
  OrderedJson document = valid_document();
  document["limits"] =
      OrderedJson::parse(R"({"trials": 10, "convergence": 0.01, "target": -2, "no_improvement": 4})");
  document["strategy"] = OrderedJson::parse(R"({"name": "tpe"})");
  CHECK_THAT(problems_of(document.dump()),
             Contains("/limits/convergence: the strategy \"tpe\" does not say"));
  document["strategy"]["name"] = "bayesian";
  const Limits limits = parse_spec(document.dump(), "s.json", "/").limits;
  CHECK(limits.convergence == 0.01);
  CHECK(limits_from_json(limits_json(limits)).target == -2);
  CHECK(limits_from_json(limits_json(limits)).no_improvement == 4);
}

TEST_CASE("a limit in dollars needs a price", "[spec]") {
  OrderedJson document = valid_document();
  document.erase("cost");
  document["limits"] = OrderedJson::parse(R"({"cost_usd": 10})");
  REQUIRE_THAT(problems_of(document.dump()), Contains("/limits/cost_usd: there is no price"));
  document["cost"] = OrderedJson::parse(R"({"usd_per_hour": 3.06})");
  REQUIRE(problems_of(document.dump()) == "");
  document["limits"]["gpu_hours"] = -1;
  REQUIRE_THAT(problems_of(document.dump()), Contains("/limits/gpu_hours"));
}

TEST_CASE("a warm start names each earlier study once, and how its results count", "[spec]") {
  const Spec spec = parse(
      changed("/warm_start", R"([{"study": "a", "kind": "identical"}, {"study": "b", "kind": "transfer"}])"));
  REQUIRE(spec.warm_start.size() == 2);
  CHECK(spec.warm_start[0].study == "a");
  CHECK(spec.warm_start[0].kind == WarmStart::kIdentical);
  CHECK(spec.warm_start[1].kind == WarmStart::kTransfer);
  const auto problems = [](const std::string& list) { return problems_of(changed("/warm_start", list)); };
  CHECK_THAT(problems(R"([{"study": "a", "kind": "transfer"}, {"study": "a", "kind": "transfer"}])"),
             Catch::Matchers::StartsWith("/warm_start/1/study: ") && Contains("is there twice"));
  CHECK_THAT(problems(R"([{"study": "s", "kind": "transfer"}])"), Contains("cannot learn from itself"));
  CHECK_THAT(problems(R"([{"study": "a", "kind": "identicla"}])"), Contains("did you mean \"identical\"?"));
  CHECK_THAT(problems(R"([{"study": "a"}])"), Contains("the key \"kind\" is missing"));
  CHECK_THAT(problems(R"([{"study": "../a", "kind": "transfer"}])"), Contains("is not valid here"));
  CHECK_THAT(problems(R"({"study": "a", "kind": "transfer"})"), Contains("must be an array"));
}

TEST_CASE("a spec that is no object is refused", "[spec]") {
  REQUIRE(problems_of("[1]") ==
          ": a spec is an object, but this is an array | start with { and end with }\n");
  REQUIRE_THAT(problems_of("{\"study\": \"s\","), Contains("the file ends before"));
}

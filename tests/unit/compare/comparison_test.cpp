// Comparison files: what is read, what is refused, and the specs that come of them.
#include "tuner/compare/comparison.h"

#include <algorithm>

#include "support/catch.h"
#include "tuner/compare/comparison_keys.h"

namespace tune::compare {
namespace {

OrderedJson small_comparison() {
  return OrderedJson::parse(R"({
    "comparison": "steel",
    "objective": {"metric": "validation:mAP", "goal": "maximize"},
    "trainer": {"task": "detection", "data": "train", "test": "test"},
    "fixed": {"epochs": 20, "learning_rate": 0.01},
    "seeds": 2,
    "limits": {"parallel": 2, "trial_time": "20m"},
    "cost": {"usd_per_hour": 3.06, "date": "2026-11-21"},
    "approaches": [
      {"name": "scratch", "trainer": {"model": "ssd300-resnet50"}, "fixed": {"epochs": 60}},
      {"name": "legacy", "trainer": {"model": "ssd300-resnet50", "weights": "resnet50.pth"},
       "search": {"parameters": {"learning_rate": {"type": "float", "min": 1e-4, "max": 1e-1, "scale": "log"},
                                 "batch_size": {"type": "int", "min": 8, "max": 32}},
                  "early_stopping": {"rule": "median"},
                  "limits": {"trials": 8}}}]
  })");
}

Comparison parsed(const OrderedJson& document) {
  return parse_comparison(document.dump(2), "c.json", "/data");
}

// "pointer: message" lines of what is wrong.
std::string problems_in(const OrderedJson& document) {
  std::string lines;
  try {
    parsed(document);
  } catch (const SpecError& error) {
    for (const Problem& problem : error.problems()) lines += problem.pointer + ": " + problem.message + "\n";
  }
  return lines;
}

OrderedJson with(const std::string& pointer, const std::string& json) {
  OrderedJson document = small_comparison();
  document[OrderedJson::json_pointer(pointer)] = OrderedJson::parse(json);
  return document;
}

Spec study_of(const Comparison& comparison, std::size_t approach, StudyRole role,
              std::optional<int> trials = {}, const ParameterSet& winner = {}) {
  return parse_spec(study_spec_document(comparison, approach, role, trials, winner).dump(), "s", "/data");
}

TEST_CASE("the studies of an approach share its data and its own values") {
  const Comparison comparison = parsed(small_comparison());
  CHECK(comparison.seeds == 2);
  CHECK(comparison.test.data == "test");
  CHECK_FALSE(comparison.test.leaks);
  const Spec scratch = study_of(comparison, 0, StudyRole::kDefaults, 2);
  CHECK(scratch.study == "steel.scratch.defaults");
  CHECK(scratch.fixed.at("epochs") == 60);
  CHECK(scratch.space.size() == 0);
  CHECK(scratch.limits.trials == 2);
  CHECK(scratch.limits.parallel == 2);
  CHECK(scratch.usd_per_hour == 3.06);

  const Spec search = study_of(comparison, 1, StudyRole::kSearch);
  CHECK(search.space.size() == 2);
  CHECK_FALSE(search.fixed.contains("learning_rate"));
  CHECK(search.limits.trials == 8);
  CHECK(search.limits.trial_time == Milliseconds(1'200'000));
  CHECK(search.early_stopping.rule == "median");
  CHECK(search.strategy.name == "auto");
  const Spec random = study_of(comparison, 1, StudyRole::kRandom, 7);
  CHECK(random.strategy.name == "random");
  CHECK(random.early_stopping.rule == "median");
  CHECK(random.limits.trials == 7);
  CHECK(search_trials(comparison, 1) == 8);

  const Spec tuned =
      study_of(comparison, 1, StudyRole::kTuned, 2, {{"learning_rate", 0.05}, {"batch_size", 16}});
  CHECK(tuned.fixed.at("learning_rate") == 0.05);
  CHECK(tuned.fixed.at("batch_size") == 16);
  CHECK(tuned.fixed.at("epochs") == 20);
  CHECK(study_of(comparison, 1, StudyRole::kDefaults, 8).fixed.at("learning_rate") == 0.01);
}

TEST_CASE("a budget of the whole comparison is no limit of its studies") {
  OrderedJson document = small_comparison();
  document["limits"]["gpu_hours"] = 12;
  document["limits"]["cost_usd"] = 20.5;
  document["approaches"][1]["search"]["limits"]["gpu_hours"] = 3;
  const Comparison comparison = parsed(document);
  CHECK(comparison.budget.gpu_hours == 12);
  CHECK(comparison.budget.cost_usd == 20.5);
  CHECK_FALSE(comparison.budget.trials);
  const Spec search = study_of(comparison, 1, StudyRole::kSearch);
  CHECK(search.limits.gpu_hours == 3);
  CHECK_FALSE(search.limits.cost_usd);
  CHECK_FALSE(study_of(comparison, 0, StudyRole::kDefaults, 2).limits.gpu_hours);
  document.erase("cost");
  CHECK(problems_in(document) == "/limits/cost_usd: there is no price to count dollars with\n");
  // The search has to end by itself.
  document = with("/limits/gpu_hours", "12");
  document["approaches"][1]["search"]["limits"] = OrderedJson::object();
  CHECK(problems_in(document).find("/approaches/1/search/limits: the search would never end") == 0);
}

OrderedJson own_program() {
  OrderedJson document = small_comparison();
  document.erase("trainer");
  for (OrderedJson& approach : document["approaches"]) approach.erase("trainer");
  document["command"] = {"python3", "train.py", "--lr={{learning_rate}}"};
  document["metrics"] = OrderedJson::parse(R"json([{"name": "validation:mAP", "regex": "v=(.+)"}])json");
  document["environment"] = {{"A", "1"}, {"B", "2"}};
  document["test"] = OrderedJson::parse(R"json({"command": ["python3", "evaluate.py", "{{output_dir}}"],
      "metrics": [{"name": "test:accuracy", "regex": "accuracy=(.+)"}],
      "environment": {"DATA": "test"}, "metric": "test:accuracy", "goal": "maximize"})json");
  return document;
}

TEST_CASE("programs of one's own train in the trainer's place, and one of them tests the models") {
  OrderedJson document = own_program();
  document["approaches"][0]["command"] = {"./other", "{{seed}}"};
  document["approaches"][0]["metrics"] =
      OrderedJson::parse(R"json([{"name": "validation:mAP", "regex": "w=(.+)"}])json");
  document["approaches"][0]["environment"] = {{"B", "3"}};
  CHECK(problems_in(document).empty());
  const Comparison comparison = parsed(document);
  CHECK_FALSE(needs_builtin_trainer(comparison));
  const Spec other = study_of(comparison, 0, StudyRole::kDefaults, 2),
             search = study_of(comparison, 1, StudyRole::kSearch);
  CHECK_FALSE(other.trainer);
  CHECK(other.command == std::vector<std::string>{"./other", "{{seed}}"});
  CHECK(other.metrics.at(0).regex == "w=(.+)");
  CHECK(std::get<std::string>(other.environment.at("A")) == "1");
  CHECK(std::get<std::string>(other.environment.at("B")) == "3");
  CHECK(search.command.at(1) == "train.py");
  CHECK(search.metrics.at(0).regex == "v=(.+)");
  REQUIRE(comparison.own_test);
  CHECK(comparison.own_test->metric == "test:accuracy");
  CHECK(comparison.own_test->command.size() == 3);
  CHECK(comparison.own_test->metrics.size() == 1);
  CHECK(approach_difference(comparison, 0, 1).front() == "command");
}

TEST_CASE("a built-in trainer and a program of one's own stand side by side in the same test") {
  OrderedJson document = small_comparison();
  document["trainer"].erase("test");
  document["test"] = own_program()["test"];
  document["approaches"][0].erase("trainer");
  document["approaches"][0]["command"] = {"./train"};
  CHECK(problems_in(document).empty());
  const Comparison comparison = parsed(document);
  CHECK(needs_builtin_trainer(comparison));
  CHECK_FALSE(study_of(comparison, 0, StudyRole::kDefaults, 2).trainer);
  CHECK(study_of(comparison, 1, StudyRole::kDefaults, 2).trainer);
  CHECK(initial_weights(comparison, 0).empty());
}

TEST_CASE("what is wrong with programs of one's own and with their test is said where it was written") {
  const auto [pointer, json, line] = GENERATE(table<std::string, std::string, std::string>({
      {"/trainer", R"({"task": "detection", "data": "d"})", "/command: \"trainer\" and \"command\" exclude"},
      {"/approaches/0/trainer", R"({"model": "m"})", "/approaches/0/trainer: the \"command\" at the top"},
      {"/command", R"(["train", "{{rate}}"])", "/command/1: \"{{rate}}\" names no parameter"},
      {"/approaches/1/command", R"(["train", "{{rate}}"])", "/approaches/1/command/1: \"{{rate}}\" names no"},
      {"/metrics", R"json([{"name": "loss", "regex": "l=(.+)"}])json",
       "/objective/metric: \"validation:mAP\" is not among"},
      {"/metrics/0/regex", R"("no group")", "/metrics/0/regex: "},
      {"/environment/TUNE_SEED", R"("1")", "/environment/TUNE_SEED: \"TUNE_SEED\" is set by tune itself"},
      {"/test/command", R"(["evaluate", "{{learning_rate}}"])",
       "/test/command/1: \"{{learning_rate}}\" names no"},
      {"/test/metrics/0/name", R"("other")", "/test/metric: \"test:accuracy\" is not among the metrics"},
      {"/test/metrics/0/regex", R"("no group")", "/test/metrics/0/regex: "},
      {"/test/goal", R"("up")", "/test/goal: \"up\" is not a valid goal"},
      {"/test/reduce", R"("last")", "/test/reduce: unknown key \"reduce\""},
      {"/test", R"({"metric": "test:accuracy"})", "/test/goal: the key \"goal\" is missing"},
      {"/test", R"({"metric": "test:accuracy", "goal": "maximize"})",
       "/test/metric: \"test:accuracy\" is not among the metrics of the approach \"scratch\""},
      {"/test", R"({"metric": "validation:mAP", "goal": "maximize"})",
       "/test/metric: the models are chosen by this"},
      {"/test", R"({"metric": "t", "goal": "maximize", "environment": {"A": "1"}})",
       "/test/environment: there is no \"command\" in \"test\""},
  }));
  CAPTURE(pointer, json);
  OrderedJson document = own_program();
  document[OrderedJson::json_pointer(pointer)] = OrderedJson::parse(json);
  const std::string found = problems_in(document);
  CAPTURE(found);
  CHECK(found.find(line) == 0);
}

TEST_CASE("programs of one's own without a test are refused, and so are two tests") {
  OrderedJson document = own_program();
  document.erase("test");
  CHECK(problems_in(document) == "/command: nothing says how the models of this command are tested\n");
  document["approaches"][1]["command"] = {"./train"};
  CHECK(problems_in(document) == "/command: nothing says how the models of this command are tested\n");
  OrderedJson two = small_comparison();
  two["test"] = own_program()["test"];
  CHECK(problems_in(two).find("/test: there are two tests") == 0);
}

TEST_CASE("a comparison without a trainer of its own is told so") {
  OrderedJson document = small_comparison();
  document.erase("trainer");
  CHECK(problems_in(document) == ": there is neither \"trainer\" nor \"command\", so nothing would train\n");
}

TEST_CASE("the studies of an approach come in the order in which they run") {
  Comparison comparison = parsed(small_comparison());
  CHECK(study_roles(comparison, 0) == std::vector{StudyRole::kDefaults});
  CHECK(study_roles(comparison, 1) == std::vector{StudyRole::kSearch, StudyRole::kDefaults, StudyRole::kTuned,
                                                  StudyRole::kRandom, StudyRole::kRandomTuned});
  comparison.random_search = false;
  CHECK(study_roles(comparison, 1).size() == 3);
}

TEST_CASE("a search begins with what the approach has without tuning, where its ranges hold that") {
  const auto first_points = [](const OrderedJson& document, StudyRole role) {
    return study_of(parsed(document), 1, role, 4).strategy.try_first;
  };
  const std::vector<ParameterSet> untuned{{{"learning_rate", 0.01}}};
  CHECK(first_points(small_comparison(), StudyRole::kSearch) == untuned);
  CHECK(first_points(small_comparison(), StudyRole::kRandom).empty());
  CHECK(first_points(with("/fixed/learning_rate", "0.3"), StudyRole::kSearch).empty());
  const OrderedJson own = with("/approaches/1/search/strategy", R"({"try_first": [{"batch_size": 8}]})");
  CHECK(first_points(own, StudyRole::kSearch) == std::vector<ParameterSet>{{{"batch_size", 8}}});
}

TEST_CASE("runs of one role have the same seeds in every approach, and a winner gets fresh ones") {
  const Comparison comparison = parsed(small_comparison());
  const auto seed = [&](std::size_t approach, StudyRole role) {
    return study_of(comparison, approach, role, 2).strategy.seed;
  };
  CHECK(seed(0, StudyRole::kDefaults) == seed(1, StudyRole::kDefaults));
  CHECK(seed(1, StudyRole::kTuned) != seed(1, StudyRole::kSearch));
  CHECK(seed(1, StudyRole::kTuned) != seed(1, StudyRole::kDefaults));
  CHECK(seed(1, StudyRole::kTuned) == seed(1, StudyRole::kRandomTuned));
  CHECK(seed(1, StudyRole::kRandom) != seed(1, StudyRole::kSearch));
}

TEST_CASE("no training run sees the test images, and overlapping crops stay on one side") {
  const Json trainer = *study_of(parsed(small_comparison()), 1, StudyRole::kSearch).trainer;
  CHECK_FALSE(trainer.contains("test"));
  CHECK(trainer.at("split").at("grouping") == "content");
  OrderedJson third = with("/trainer/split", R"({"fractions": [0.64, 0.16, 0.2], "seed": 3})");
  third["trainer"].erase("test");
  const Comparison comparison = parsed(third);
  CHECK(comparison.test.data == "train");
  CHECK(comparison.test.split->at("grouping") == "content");
  CHECK(comparison.test.split->at("seed") == 3);
  CHECK_FALSE(comparison.test.leaks);
  CHECK_FALSE(comparison.test.split->contains("test"));
  const Json cut = study_of(comparison, 1, StudyRole::kDefaults, 2).trainer->at("split");
  CHECK(cut.at("test") == "untouched");
  CHECK_FALSE(trainer.at("split").contains("test"));
  third["trainer"]["split"]["grouping"] = "image";
  CHECK(parsed(third).test.leaks);
}

TEST_CASE("a comparison takes from tune-train what its task has") {
  const Json description = {{"tasks",
                             {{{"name", "detection"},
                               {"unit", "texts"},
                               {"commands", {"predict", "evaluate"}},
                               {"primary", {{"name", "loss"}, {"goal", "minimize"}}},
                               {"trainer_keys", {{{"name", "model"}}}}}}}};
  const Comparison comparison = with_task(parsed(small_comparison()), description);
  CHECK(comparison.task.unit == "texts");
  CHECK(comparison.task.goal == Goal::kMinimize);
  CHECK_FALSE(comparison.task.has_audit);
  CHECK_FALSE(comparison.task.scores_models);
  CHECK_FALSE(study_of(comparison, 0, StudyRole::kDefaults, 2).trainer->contains("split"));
  const ComparedTask read = task_from_json(task_to_json(comparison.task));
  CHECK(read.name == "detection");
  CHECK(read.number == "loss");
  CHECK(read.goal == Goal::kMinimize);
  CHECK(read.unit == "texts");
  CHECK_FALSE(read.has_audit);
  // A record that does not say has scored detectors.
  CHECK(task_from_json(Json()).number == "AP");
  CHECK(task_from_json(Json()).unit == "images");
}

TEST_CASE("what is wrong with a comparison is said where it was written") {
  const auto [pointer, json, line] = GENERATE(table<std::string, std::string, std::string>({
      {"/sedes", "3", "/sedes: unknown key \"sedes\""},
      {"/seeds", "0", "/seeds: 0 is too small"},
      {"/comparison", "\"a/b\"", "/comparison: \"a/b\" is not valid here"},
      {"/cost/date", "\"today\"", "/cost/date: \"today\" is not valid here"},
      {"/limits/gpu_hours", "-1", "/limits/gpu_hours: -1 is too small"},
      {"/limits/cost_usd", "\"5 $\"", "/limits/cost_usd: must be a number"},
      {"/limits/trials", "3", "/limits/trials: unknown key \"trials\""},
      {"/controls", "{\"random_search\": 1}", "/controls/random_search: must be true or false"},
      {"/trainer", "{\"task\": \"detection\", \"data\": \"d\"}", "/trainer: there are no test images"},
      {"/trainer", "{\"task\": \"detection\", \"test\": \"d\"}", "/trainer: \"data\" is missing"},
      {"/trainer/split", "{\"fractions\": [0.6, 0.2, 0.2]}", "/trainer/test: there are two test sets"},
      {"/approaches/0/trainer/data", "\"d\"", "/approaches/0/trainer/data: \"data\" is the same for all"},
      {"/approaches/1/name", "\"scratch\"", "/approaches/1/name: the approach \"scratch\" is there twice"},
      {"/approaches/1/name", "\"a.b\"", "/approaches/1/name: \"a.b\" is not valid here"},
      {"/approaches/1/search/parameters", "{}", "/approaches/1/search/parameters: \"parameters\" is empty"},
      {"/approaches/1/search/parameters/batch_size/max", "2",
       "/approaches/1/search/parameters/batch_size/min: min 8 is greater than max 2"},
      {"/approaches/1/search/limits", "{}", "/approaches/1/search/limits: the search would never end"},
      {"/approaches/1/search/strategy", "{\"name\": \"grid\"}",
       "/approaches/1/search/parameters/learning_rate: a grid cannot walk"},
      {"/approaches/1/fixed", "{\"a.b\": 1, \"a\": 2}", "/approaches/1/fixed/a"},
      {"/approaches", "[]", "/approaches: \"approaches\" is empty"},
      {"/approaches", "[3]", "/approaches/0: must be an object"},
      {"/objective/goal", "\"up\"", "/objective/goal: \"up\" is not a valid goal"},
  }));
  CAPTURE(pointer, json);
  const std::string found = problems_in(with(pointer, json));
  CAPTURE(found);
  CHECK(found.find(line) != std::string::npos);
  // One mistake is one problem, or one for each that reads it.
  CHECK(std::count(found.begin(), found.end(), '\n') <= 2);
}

TEST_CASE("an approach stands in the table that it names, and a published one lists where it departs") {
  OrderedJson document = small_comparison();
  document["approaches"][0]["table"] = "published";
  document["approaches"][0]["deviations"] = {"another library", "a split by content"};
  const Comparison comparison = parsed(document);
  CHECK(comparison.approaches[0].table == ApproachTable::kPublished);
  CHECK(comparison.approaches[0].deviations ==
        std::vector<std::string>{"another library", "a split by content"});
  CHECK(comparison.approaches[1].table == ApproachTable::kImproved);
  CHECK(comparison.approaches[1].deviations.empty());
}

TEST_CASE(
    "deviations without a published recipe, of another kind, or of nothing are refused where they stand") {
  const std::string place = "/approaches/0/deviations";
  CHECK(problems_in(with(place, R"(["x"])")) == place + ": only a published recipe has deviations\n");
  const auto published = [&](const std::string& deviations) {
    OrderedJson document = small_comparison();
    document["approaches"][0]["table"] = "published";
    document["approaches"][0]["deviations"] = OrderedJson::parse(deviations);
    return problems_in(document);
  };
  CHECK(published(R"(["x"])").empty());
  for (const char* wrong : {"\"x\"", "[]", "[1]", "[\"\"]", "[null]", "[[\"x\"]]", "{}", "null"}) {
    CAPTURE(wrong);
    CHECK(published(wrong).find(place) == 0);
  }
  for (const char* wrong : {"\"Published\"", "\"\"", "1", "null", "[\"published\"]"}) {
    CAPTURE(wrong);
    const std::string problems = problems_in(with("/approaches/0/table", wrong));
    CHECK(problems.find("/approaches/0/table: ") == 0);
    CHECK(problems.find('\n') == problems.size() - 1);
  }
  // Said once: a person who misspells the table meant deviations of it.
  OrderedJson document = with("/approaches/0/table", "\"publised\"");
  document["approaches"][0]["deviations"] = {"x"};
  CHECK(problems_in(document).find("deviations") == std::string::npos);
  CHECK(problems_in(with("/approaches/1/search/table", "\"published\"")).find("/approaches/1/search/table") ==
        0);
  CHECK(problems_in(with("/table", "\"published\"")).find("/table") == 0);
}

TEST_CASE("several mistakes come at once, in the order of the text, with their lines") {
  OrderedJson document = with("/seeds", "0");
  document["approaches"][1]["search"]["parameters"]["batch_size"]["max"] = 2;
  try {
    parsed(document);
    FAIL("nothing was wrong");
  } catch (const SpecError& error) {
    REQUIRE(error.problems().size() == 2);
    CHECK(error.problems()[0].pointer == "/seeds");
    CHECK(error.problems()[0].line > 1);
    CHECK(error.problems()[1].line > error.problems()[0].line);
  }
}

TEST_CASE("a comparison that is given for a spec is told apart") {
  try {
    parse_spec(small_comparison().dump(2), "c.json", "/data");
    FAIL("it was taken");
  } catch (const SpecError& error) {
    REQUIRE(error.problems().size() == 1);
    CHECK(error.problems()[0].line == 2);
    CHECK(error.problems()[0].hint.find("tune compare c.json") != std::string::npos);
  }
}

TEST_CASE("what two approaches do not have in common is known") {
  const Comparison comparison = parsed(small_comparison());
  CHECK(approach_difference(comparison, 0, 1) == std::vector<std::string>{"weights", "epochs"});
  CHECK(approach_difference(comparison, 1, 1).empty());
  CHECK(initial_weights(comparison, 0).empty());
  CHECK(initial_weights(comparison, 1) == "resnet50.pth");
}

TEST_CASE("the sections of a comparison that a spec has too have the spec's own rules") {
  const ObjectTable& approaches = *find_key(comparison_table(), "approaches")->object;
  const ObjectTable& search = *find_key(approaches, "search")->object;
  for (const char* key : {"parameters", "strategy", "early_stopping", "limits"})
    CHECK(find_key(search, key)->object == find_key(spec_table(), key)->object);
}

}  // namespace
}  // namespace tune::compare

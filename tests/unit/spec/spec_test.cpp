#include "tuner/spec/spec.h"

#include <fstream>

#include "support/catch.h"
#include "support/spec_text.h"
#include "tuner/core/rng.h"

using namespace tune;
using namespace tune::tests;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_CASE("a spec with every section is read", "[spec]") {
  const Spec spec = parse(kFull);
  REQUIRE(spec.warnings.empty());
  REQUIRE(spec.study == "steel-legacy");
  REQUIRE(spec.objective.metric == "validation:mAP");
  REQUIRE(spec.objective.goal == Goal::kMaximize);
  REQUIRE(spec.objective.reduce == Reduce::kLast);
  REQUIRE(spec.fixed.dump() == R"({"epochs":20,"lora.alpha":16,"note":null})");
  REQUIRE(spec.command.size() == 8);
  REQUIRE_FALSE(spec.trainer.has_value());
  REQUIRE(std::get<FromEnvironment>(spec.environment.at("HF_TOKEN")).variable == "MY_TOKEN");
  REQUIRE(std::get<std::string>(spec.environment.at("MODE")) == "fast");
  REQUIRE(spec.metrics.size() == 2);
  REQUIRE(spec.metrics[0].step == "epoch=([0-9]+)");
  REQUIRE(spec.metrics[1].regex.empty());
  REQUIRE(spec.strategy.name == "bayesian");
  REQUIRE(spec.strategy.seed == (std::uint64_t{1} << 53) - 1);
  REQUIRE(spec.strategy.try_first.size() == 2);
  REQUIRE(spec.strategy.try_first[1].at("nesterov") == true);
  REQUIRE(spec.early_stopping.rule == "median");
  REQUIRE(spec.early_stopping.min_trials == 4);
  REQUIRE(spec.early_stopping.start_step == 2);
  REQUIRE(spec.limits.trials == 20);
  REQUIRE(spec.limits.parallel == 4);
  REQUIRE(spec.limits.time == Milliseconds(2h));
  REQUIRE(spec.limits.trial_time == Milliseconds(90min));
  REQUIRE(spec.resources.gpus_per_trial == 2);
  REQUIRE(spec.resources.trials_per_gpu == 3);
  REQUIRE(spec.usd_per_hour == 3.06);
  REQUIRE(spec.promote_model == "steel-detector");
  REQUIRE(spec.folder == "/folder");
  REQUIRE(spec.text == kFull);
  REQUIRE(spec.document == Json::parse(kFull));
}

TEST_CASE("parameters are read in the order of the spec, with scales resolved", "[spec]") {
  const SearchSpace space = parse(kFull).space;
  const auto parameter = [&](const char* name) { return space.parameters().at(*space.find(name)); };
  REQUIRE(space.parameters()[0].name == "learning_rate");
  REQUIRE(space.parameters()[8].name == "nesterov");
  REQUIRE(parameter("learning_rate").scale == Scale::kLog);
  REQUIRE(parameter("momentum").scale == Scale::kReverseLog);
  REQUIRE(parameter("decay").scale == Scale::kLog);
  REQUIRE(parameter("decay").levels == 4);
  REQUIRE(parameter("warmup").scale == Scale::kLinear);
  REQUIRE(parameter("dropout").cardinality() == 6);
  REQUIRE(parameter("batch_size").value_at(1) == 16);
  REQUIRE(parameter("lora.r").type == ParameterType::kInt);
  REQUIRE(parameter("optimizer").values.size() == 3);
  const auto when = parameter("nesterov").when;
  REQUIRE(when.size() == 2);
  REQUIRE(when[0].parent == "optimizer");
  REQUIRE(when[1].any_of == std::vector<Json>{8, 16});
}

TEST_CASE("a condition may be one value, and an array value is told apart by its brackets", "[spec]") {
  OrderedJson document = valid_document();
  document["parameters"]["layers"] =
      OrderedJson::parse(R"({"type": "categorical", "values": [[1, 2], [3]]})");
  document["parameters"]["x"] = OrderedJson::parse(
      R"({"type": "int", "min": 1, "max": 2, "when": {"optimizer": "sgd", "layers": [[1, 2]]}})");
  const Spec spec = parse(document.dump());
  REQUIRE(spec.space.parameters()[3].when[0].any_of == std::vector<Json>{"sgd"});
  REQUIRE(spec.space.is_active(3, {{"optimizer", "sgd"}, {"layers", Json::array({1, 2})}}));
  document["parameters"]["x"]["when"]["layers"] = {1, 2};
  REQUIRE_THAT(
      problems_of(document.dump()),
      Catch::Matchers::Contains("/parameters/x/when/layers/0: a value that \"layers\" never has: 1"));
}

TEST_CASE("what a short spec leaves out has the defaults of an empty one", "[spec]") {
  const Spec spec = parse(valid_document().dump());
  const Spec empty;
  REQUIRE(spec.objective.reduce == empty.objective.reduce);
  REQUIRE(spec.strategy.name == empty.strategy.name);
  REQUIRE_FALSE(spec.strategy.seed.has_value());
  REQUIRE(spec.early_stopping.rule == empty.early_stopping.rule);
  REQUIRE(spec.early_stopping.min_trials == empty.early_stopping.min_trials);
  REQUIRE(spec.early_stopping.start_step == empty.early_stopping.start_step);
  REQUIRE(spec.resources.trials_per_gpu == empty.resources.trials_per_gpu);
  REQUIRE(spec.fixed == empty.fixed);
  REQUIRE_FALSE(spec.limits.time.has_value());
  REQUIRE_FALSE(spec.usd_per_hour.has_value());
}

TEST_CASE("a built-in trainer's keys are passed on as they are", "[spec]") {
  OrderedJson document = valid_document();
  document.erase("command");
  document["trainer"] =
      OrderedJson::parse(R"({"task": "detection", "data": "d", "split": {"seed": 1}, "future": [1]})");
  document["objective"]["metric"] = "validation:mAP";  // brought by the trainer
  REQUIRE(parse(document.dump()).trainer.value() == Json(document["trainer"]));
  document["trainer"].erase("task");
  REQUIRE_THAT(problems_of(document.dump()),
               Catch::Matchers::Contains("/trainer/task: the key \"task\" is missing"));
}

TEST_CASE("images that lie elsewhere are a folder's name in the trainer", "[spec]") {
  OrderedJson document = valid_document();
  document.erase("command");
  document["trainer"] = {{"task", "detection"}, {"data", "a.json"}, {"images", "photographs"}};
  document["objective"]["metric"] = "validation:mAP";
  REQUIRE(parse(document.dump()).trainer->at("images") == "photographs");
  for (const OrderedJson& wrong : {OrderedJson(3), OrderedJson(""), OrderedJson::array({"a", "b"})}) {
    document["trainer"]["images"] = wrong;
    REQUIRE_THAT(problems_of(document.dump()), Catch::Matchers::Contains("/trainer/images: "));
  }
}

TEST_CASE("asking and telling needs neither a trainer nor metrics", "[spec]") {
  OrderedJson document = valid_document();
  document.erase("command");
  document.erase("metrics");
  REQUIRE(parse(document.dump(), SpecUse::kAskTell).space.size() == 2);
  REQUIRE_THAT(problems_of(document.dump()),
               Catch::Matchers::Contains("neither \"trainer\" nor \"command\""));
}

TEST_CASE("a spec file is read relative to its folder", "[spec]") {
  const fs::path folder = fs::temp_directory_path() / ("tune-spec-" + random_token());
  fs::create_directory(folder);
  REQUIRE_THROWS_AS(read_spec(folder / "none.json"), Error);
  REQUIRE_THROWS_AS(read_spec(folder), SpecError);
  std::FILE* file = std::fopen((folder / "s.json").c_str(), "w");
  std::fputs(kFull.c_str(), file);
  std::fclose(file);
  REQUIRE(read_spec(folder / "s.json").folder == folder);
  const fs::path before = fs::current_path();
  fs::current_path(folder);
  const Spec spec = read_spec("s.json");
  fs::current_path(before);
  fs::remove_all(folder);
  REQUIRE(spec.folder == fs::weakly_canonical(folder));
}

TEST_CASE("limits on silence, and how devices are named, are read; a silence of nothing is refused",
          "[spec]") {
  const Spec spec = parse(changed("/limits", R"({"trials": 3, "no_output": "10m", "no_metric_time": "2h"})"));
  REQUIRE(spec.limits.no_output == Milliseconds(10min));
  REQUIRE(spec.limits.no_metric_time == Milliseconds(2h));
  const Spec off = parse(changed("/limits", R"({"trials": 3})"));
  REQUIRE_FALSE(off.limits.no_output);
  REQUIRE_FALSE(off.limits.no_metric_time);
  REQUIRE(off.resources.visible_devices == VisibleDevices::kUuid);
  REQUIRE(parse(changed("/resources", R"({"visible_devices": "index"})")).resources.visible_devices ==
          VisibleDevices::kIndex);
  for (const char* limits :
       {R"({"trials": 3, "no_output": "0s"})", R"({"trials": 3, "no_metric_time": "0s"})"})
    REQUIRE(problems_of(changed("/limits", limits)).find("longer than nothing") != std::string::npos);
  REQUIRE(problems_of(changed("/resources", R"({"visible_devices": "number"})")).find("uuid") !=
          std::string::npos);
}

TEST_CASE("suspicious specs are read with a warning", "[spec]") {
  const auto [pointer, json, warning] = GENERATE(table<std::string, std::string, std::string>({
      {"/objective/goal", "\"minimize\"", "/objective/goal: \"accuracy\" is minimized"},
      {"/objective/reduce", "\"min\"", "/objective/reduce: a trial's result is its worst value"},
      {"/limits/parallel", "4", "/limits/parallel: more trials at once"},
      {"/parameters",
       R"({"lr": {"type": "int", "min": 1, "max": 1}, "optimizer": {"type": "categorical", "values": ["a", "b", "c"]}})",
       "/parameters/lr: \"lr\" has only one value"},
      {"/limits", R"({"time": "1m", "trial_time": "1h"})", "/limits/trial_time: one trial may run longer"},
      {"/strategy", R"({"try_first": [{}, {}, {}, {}]})", "/strategy/try_first: there are more points"},
  }));
  const Spec spec = parse(changed(pointer, json));
  REQUIRE(spec.warnings.size() == 1);
  REQUIRE(spec.warnings[0].line > 0);
  REQUIRE_THAT(spec.warnings[0].pointer + ": " + spec.warnings[0].message,
               Catch::Matchers::StartsWith(warning));
}

TEST_CASE("a parameter that the command never names is suspicious, unless the program may read trial.json",
          "[spec]") {
  const fs::path folder = fs::temp_directory_path() / ("tune-spec-" + random_token());
  fs::create_directory(folder);
  const auto write = [&](const char* name, const char* text) { std::ofstream(folder / name) << text; };
  write("deaf.py", "print('loss=1')");
  write("reader.py", "open(os.environ['TUNE_TRIAL_FILE'])");
  OrderedJson document = valid_document();
  document["parameters"] = {{"lr", {{"type", "int"}, {"min", 1}, {"max", 2}}},
                            {"depth", {{"type", "int"}, {"min", 1}, {"max", 2}}}};
  const auto warnings_of = [&](const OrderedJson& command, SpecUse use = SpecUse::kRun) {
    document["command"] = command;
    std::string pointers;
    for (const Problem& warning : parse_spec(document.dump(), "s.json", folder, use).warnings)
      pointers += warning.pointer + " ";
    return pointers;
  };
  CHECK(warnings_of({"train", "--lr={{lr}}", "--depth={{depth}}"}) == "");
  CHECK(warnings_of({"train", "--lr={{lr}}"}) == "/parameters/depth ");
  CHECK(warnings_of({"python3", "deaf.py"}) == "/parameters/lr /parameters/depth ");
  CHECK(warnings_of({"python3", "deaf.py"}, SpecUse::kAskTell) == "");
  CHECK(warnings_of({"python3", "reader.py", "{{lr}}"}) == "");
  CHECK(warnings_of({"train", "{{lr}}", "{{trial_file}}"}) == "");
  CHECK(warnings_of({"train"}) == "");
  // Without a pattern the program has to print TUNE_METRIC lines, as one script says that it does.
  document.erase("metrics");
  write("teller.py", "print('TUNE_METRIC {\"name\": \"loss\", \"value\": 1}')");
  CHECK(warnings_of({"python3", "deaf.py", "{{lr}}", "{{depth}}"}) == "/command ");
  CHECK(warnings_of({"train", "{{lr}}", "{{depth}}"}) == "/command ");
  CHECK(warnings_of({"train", "{{lr}}", "{{depth}}"}, SpecUse::kAskTell) == "");
  CHECK(warnings_of({"python3", "teller.py", "{{lr}}", "{{depth}}"}) == "");
  fs::remove_all(folder);
}

TEST_CASE("retries are said to be of no use where the caller runs the trials", "[spec]") {
  OrderedJson document = valid_document();
  document["retry"] = {{"infrastructure", {{"tries", 2}}}};
  CHECK(parse(document.dump(), SpecUse::kRun).warnings.empty());
  const std::vector<Problem> warnings = parse(document.dump(), SpecUse::kAskTell).warnings;
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].pointer == "/retry");
}

TEST_CASE("a loss that is maximized is suspicious, words within words are not", "[spec]") {
  const auto [name, goal, warns] =
      GENERATE(table<std::string, std::string, bool>({{"val_loss", "maximize", true},
                                                      {"validation:cross_entropy", "maximize", true},
                                                      {"Error", "maximize", true},
                                                      {"glossary", "maximize", false},
                                                      {"validation:mAP", "minimize", true},
                                                      {"accuracy_loss", "minimize", false},
                                                      {"latency", "minimize", false}}));
  OrderedJson document = valid_document();
  document.erase("metrics");
  document["objective"] = {{"metric", name}, {"goal", goal}};
  CAPTURE(name);
  REQUIRE(parse(document.dump(), SpecUse::kAskTell).warnings.size() == (warns ? 1 : 0));
}

namespace {

// The warnings of a spec with this command, parameters and fixed values, as lines "pointer: message | hint".
std::string command_warnings(const std::string& command, const std::string& parameters,
                             const std::string& fixed = "{}") {
  OrderedJson document = valid_document();
  document["parameters"] = OrderedJson::parse(parameters);
  document["fixed"] = OrderedJson::parse(fixed);
  document["command"] = OrderedJson::parse(command);
  std::string lines;
  for (const Problem& warning : parse(document.dump()).warnings)
    lines += warning.pointer + ": " + warning.message + " | " + warning.hint + "\n";
  return lines;
}

}  // namespace

TEST_CASE("what the author wrote as a choice may begin with a dash, and switches draw no warning", "[spec]") {
  const std::string flag =
      R"({"x": {"type": "float", "min": 0, "max": 1}, "flag": {"type": "categorical", "values": )";
  CHECK(command_warnings(R"(["t", "{{x}}", "{{flag}}"])", flag + R"(["--use-amp", "--no-use-amp"]}})") == "");
  CHECK(command_warnings(R"(["t", "{{x}}", "--verbose", "{{flag}}"])", flag + R"(["--amp", null]}})") == "");
  CHECK(command_warnings(R"(["t", "{{x}}", "{{flag}}"])", flag + R"(["fast", "-O2"]}})") == "");
  CHECK(command_warnings(R"(["t", "{{x}}", "{{flag}}"])", flag + R"([1, 2]}})", R"({"flags": "--x"})") == "");
}

TEST_CASE("a value that begins with a dash behind an option is warned of, with a cure that works", "[spec]") {
  const std::string one =
      R"({"x": {"type": "float", "min": 0, "max": 1}, "o": {"type": "categorical", "values": )";
  CHECK(command_warnings(R"(["t", "{{x}}", "--opt", "{{o}}"])", one + R"(["fast", "-O2"]}})") ==
        "/command/3: the value \"-O2\" of \"o\" starts with \"-\", so the program may take it for an option "
        "of its own, "
        "and find no value for --opt | write both as one element: \"--opt={{o}}\"\n");
  // getopt takes what follows the letter, and "=" with it.
  CHECK(command_warnings(R"(["t", "{{x}}", "-o", "{{o}}"])", one + R"(["fast", "-O2"]}})")
            .ends_with("\"-o{{o}}\"\n"));
  CHECK(command_warnings(R"(["t", "{{x}}", "--opt", "{{o}}"])", one + R"(["-1e-05", "1e-05"]}})") != "");
  CHECK(command_warnings(R"(["t", "{{x}}", "--opt", "{{o}}"])", one + R"(["-1", "-0.5"]}})") == "");
  CHECK(command_warnings(R"(["t", "{{x}}", "--opt={{o}}"])", one + R"(["fast", "-O2"]}})") == "");
  CHECK(command_warnings(R"(["t", "{{x}}", "{{o}}", "--opt", "{{f}}"])", one + "[1, 2]}}",
                         R"({"f": "-O2"})") != "");
}

TEST_CASE("a negative number behind an option is warned of where it is not alone in its element", "[spec]") {
  const std::string x = R"({"x": {"type": "float", "min": -1e-4, "max": 1}})";
  CHECK(command_warnings(R"(["t", "--bias", "{{x}}"])", x) == "");
  CHECK(command_warnings(R"(["t", "--bias={{x}}"])", x) == "");
  CHECK(command_warnings(R"(["t", "--betas", "{{x}},1"])", x)
            .ends_with("write both as one element: \"--betas={{x}},1\"\n"));
}

TEST_CASE("a switch out of a single value with a condition draws no advice that would break it", "[spec]") {
  const std::string parameters = R"({"x": {"type": "float", "min": 0, "max": 1},
      "amp": {"type": "categorical", "values": [true, false]},
      "on": {"type": "categorical", "values": [""], "when": {"amp": true}}})";
  CHECK(command_warnings(R"(["t", "{{x}}", "--use-amp{{on}}"])", parameters) == "");
  CHECK(command_warnings(R"(["t", "{{x}}"])", parameters).find("/parameters/amp") != std::string::npos);
}

TEST_CASE("a space with fewer points than trials is warned of, also where a grid ends", "[spec]") {
  const auto warnings = [](const std::string& strategy, const std::string& trials,
                           const std::string& max = "3") {
    OrderedJson document = valid_document();
    document["parameters"] = OrderedJson::parse(R"({"a": {"type": "int", "min": 1, "max": )" + max + "}}");
    document["command"] = OrderedJson::parse(R"(["t", "{{a}}"])");
    document["strategy"] = {{"name", strategy}};
    document["limits"]["trials"] = OrderedJson::parse(trials);
    std::string lines;
    for (const Problem& warning : parse(document.dump()).warnings)
      lines += warning.pointer + ": " + warning.message;
    return lines;
  };
  CHECK(warnings("auto", "4") ==
        "/limits/trials: the space has only 3 points, and limits.trials is 4: when all have been tried, the "
        "other "
        "trials repeat them");
  CHECK(warnings("random", "4") != "");
  CHECK(warnings("auto", "3") == "");
  CHECK(warnings("grid", "4") ==
        "/limits/trials: the grid has only 3 points, and limits.trials is 4: when all have been tried, the "
        "study ends");
  CHECK(warnings("grid", "3") == "");
}

TEST_CASE("assumed values are those of parameters that the study has, within their ranges", "[spec]") {
  const auto with = [](const std::string& assume) {
    return changed("/warm_start", R"([{"study": "first", "kind": "identical", "assume": )" + assume + "}]");
  };
  const Spec spec = parse(with(R"({"lr": 0.01, "optimizer": "sgd"})"));
  CHECK(spec.warm_start.at(0).assume == std::map<std::string, Json>{{"lr", 0.01}, {"optimizer", "sgd"}});
  CHECK_THAT(
      problems_of(with(R"({"lrr": 0.01})")),
      Catch::Matchers::Contains("/warm_start/0/assume/lrr: \"lrr\" is not a parameter of this study") &&
          Catch::Matchers::Contains("did you mean \"lr\"?"));
  CHECK_THAT(problems_of(with(R"({"lr": 7})")),
             Catch::Matchers::Contains("/warm_start/0/assume/lr: 7 is greater than its max 0.1"));
  CHECK_THAT(problems_of(with("[]")), Catch::Matchers::Contains("must be an object"));
}

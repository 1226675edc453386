#include <set>

#include "support/catch.h"
#include "tuner/core/json_positions.h"
#include "tuner/spec/spec_text.h"
#include "unit/import/request_fixture.h"

namespace tune::amt {
namespace {

using Catch::Matchers::Contains;

const std::string kJob = "/HyperParameterTuningJobConfig";
const std::string kDefinition = "/TrainingJobDefinition";

// What one search of an import gives as its spec, read as `tune` reads it.
Spec read_back(const Import& import, std::size_t index = 0) {
  const ImportedSearch& search = import.searches.at(index);
  return parse_spec(spec_text(search.spec), "search.json", ".",
                    search.is_trainable ? SpecUse::kRun : SpecUse::kAskTell);
}

TEST_CASE("ranges, objective, strategy and limits become those of a spec", "[import]") {
  const Import import = imported(small_request().dump(1), with_command());
  const OrderedJson& spec = import.searches.at(0).spec;
  CHECK(spec.at("study") == "small");
  CHECK(spec.at("objective") == OrderedJson({{"metric", "loss"}, {"goal", "minimize"}, {"reduce", "last"}}));
  CHECK(spec.at("parameters").at("lr") ==
        OrderedJson({{"type", "float"}, {"min", 0.001}, {"max", 0.1}, {"scale", "auto"}}));
  CHECK(spec.at("parameters").at("layers") ==
        OrderedJson({{"type", "int"}, {"min", 1}, {"max", 4}, {"scale", "auto"}}));
  CHECK(spec.at("parameters").at("optimizer") ==
        OrderedJson({{"type", "categorical"}, {"values", {"sgd", "adam"}}}));
  CHECK(spec.at("fixed") == OrderedJson({{"epochs", 10}}));
  CHECK(spec.at("strategy") == OrderedJson({{"name", "bayesian"}}));
  CHECK(spec.at("limits") == OrderedJson({{"trials", 4}, {"parallel", 2}, {"trial_time", "1h"}}));
  CHECK(spec.at("resources") == OrderedJson({{"gpus_per_trial", 1}}));
  CHECK(spec.at("command") == OrderedJson({"python3", "train.py", "--lr={{lr}}", "--layers={{layers}}",
                                           "--optimizer={{optimizer}}", "--epochs={{epochs}}"}));
  CHECK(spec.at("metrics") == OrderedJson::array({{{"name", "loss"}, {"regex", "loss=(\\S+)"}}}));
}

TEST_CASE("every request gives a spec that is read without a problem, whatever it says of training",
          "[import]") {
  for (const char* name : {"object-detection.json", "pytorch-script.json", "described-linear-learner.json",
                           "hyperband-warm-start.json", "two-algorithms.json"}) {
    CAPTURE(name);
    for (const ImportOptions& options : {ImportOptions(), with_command()}) {
      const Import import = imported(request_of(name), options);
      for (std::size_t i = 0; i < import.searches.size(); ++i) CHECK_NOTHROW(read_back(import, i));
    }
  }
}

TEST_CASE("every field of a request is mapped, ignored or named as not mapped", "[import]") {
  for (const char* name : {"object-detection.json", "pytorch-script.json", "described-linear-learner.json",
                           "hyperband-warm-start.json", "two-algorithms.json"}) {
    const std::string text = request_of(name);
    const Import import = imported(text);
    std::set<std::string> spoken;
    for (const Mapped& each : import.report.mapped) spoken.insert(each.from);
    for (const auto* list : {&import.report.ignored, &import.report.unmapped})
      for (const LeftOut& each : *list) spoken.insert(each.from);
    for (const auto& [pointer, place] : parse_with_positions(text).values) {
      if (OrderedJson::parse(text).at(OrderedJson::json_pointer(pointer)).is_structured()) continue;
      bool is_spoken_of = false;
      for (std::string outer = pointer; !outer.empty(); outer.erase(outer.rfind('/')))
        is_spoken_of |= spoken.contains(outer);
      // The names of channels, of kinds and of what stands beside them belong to what they name.
      const std::string last = pointer.substr(pointer.rfind('/') + 1);
      is_spoken_of |= last == "ChannelName" || last == "WarmStartType" || last == "InstanceCount" ||
                      last == "DefinitionName";
      CAPTURE(name, pointer);
      CHECK(is_spoken_of);
    }
  }
}

TEST_CASE("object detection becomes the built-in trainer, with its own names and the service's defaults",
          "[import]") {
  ImportOptions options;
  options.paths.add("s3://steel-bucket/ssd=/data/steel");
  const Import import = imported(request_of("object-detection.json"), options);
  const OrderedJson& spec = import.searches.at(0).spec;
  CHECK(import.searches.at(0).is_trainable);
  CHECK(spec.at("trainer") == OrderedJson({{"task", "detection"},
                                           {"model", "ssd300-resnet50"},
                                           {"recipe", "legacy"},
                                           {"data", "/data/steel/train"},
                                           {"validation", "/data/steel/validation"}}));
  CHECK(spec.at("parameters").at("batch_size").at("max") == 64);
  CHECK(spec.at("parameters").at("momentum").at("scale") == "reverse_log");
  CHECK(spec.at("parameters").at("optimizer").at("values") == OrderedJson({"sgd", "adam"}));
  CHECK(spec.at("fixed") ==
        OrderedJson({{"epochs", 30}, {"lr_scheduler_step", "10,20"}, {"lr_scheduler_factor", 0.1}}));
  CHECK(spec.at("early_stopping").at("rule") == "median_running_average");
  CHECK(spec.at("resources").at("gpus_per_trial") == 1);
  CHECK_FALSE(spec.contains("metrics"));
  CHECK_FALSE(spec.contains("command"));
  const std::string optimizers = kJob + "/ParameterRanges/CategoricalParameterRanges/0/Values/";
  CHECK_THAT(reason_of(import.report.unmapped, optimizers + "2"), Contains("sgd and adam"));
  CHECK_THAT(reason_of(import.report.unmapped, optimizers + "3"), Contains("sgd and adam"));
  const std::string fixed = kDefinition + "/StaticHyperParameters/";
  CHECK_THAT(reason_of(import.report.unmapped, fixed + "use_pretrained_model"), Contains("trainer.weights"));
  CHECK_THAT(reason_of(import.report.unmapped, fixed + "nms_threshold"), Contains("no such hyperparameter"));
  CHECK_THAT(reason_of(import.report.ignored, fixed + "num_classes"), Contains("in the data"));
}

TEST_CASE("what object detection would take by default is written down", "[import]") {
  OrderedJson request = OrderedJson::parse(request_of("object-detection.json"));
  request["TrainingJobDefinition"]["StaticHyperParameters"] = {{"num_classes", "6"}, {"image_shape", "512"}};
  request["HyperParameterTuningJobConfig"]["ParameterRanges"] = {
      {"ContinuousParameterRanges", {{{"Name", "momentum"}, {"MinValue", "0.5"}, {"MaxValue", "0.9"}}}}};
  const OrderedJson spec = imported(request.dump()).searches.at(0).spec;
  CHECK(spec.at("trainer").at("model") == "ssd512-vgg16");
  CHECK(spec.at("fixed") ==
        OrderedJson(
            {{"learning_rate", 0.001}, {"batch_size", 32}, {"epochs", 30}, {"lr_scheduler", "constant"}}));
}

TEST_CASE("a script of SageMaker's script mode gets its arguments as its toolkit gives them", "[import]") {
  ImportOptions options;
  options.paths.add("s3://my-bucket/mnist/=/data/mnist");
  options.paths.add("s3://my-bucket/models=/models");
  const Import import = imported(request_of("pytorch-script.json"), options);
  const OrderedJson& spec = import.searches.at(0).spec;
  CHECK(spec.at("command") ==
        OrderedJson({"env", "SM_MODEL_DIR={{output_dir}}", "SM_OUTPUT_DATA_DIR={{output_dir}}", "python3",
                     "mnist.py", "--lr={{lr}}", "--batch-size={{batch-size}}", "--backend={{backend}}",
                     "--epochs={{epochs}}", "--seed=42", "--amp={{amp}}", "--weights={{weights}}"}));
  CHECK(spec.at("parameters").at("batch-size").at("values") == OrderedJson({32, 64, 128}));
  CHECK(spec.at("parameters").at("backend").at("values") == OrderedJson({"gloo", "nccl"}));
  CHECK(spec.at("fixed") ==
        OrderedJson({{"epochs", 4}, {"seed", 42}, {"amp", "True"}, {"weights", "/models/resnet18.pth"}}));
  CHECK(spec.at("environment") == OrderedJson({{"SM_CHANNEL_TRAINING", "/data/mnist"},
                                               {"SM_HOSTS", "[\"algo-1\"]"},
                                               {"SM_CURRENT_HOST", "algo-1"}}));
  CHECK(spec.at("strategy") == OrderedJson({{"name", "random"}, {"seed", 7}}));
  CHECK(spec.at("early_stopping") == OrderedJson({{"rule", "none"}}));
  CHECK(spec.at("limits").at("time") == "90m");
  const std::string fixed = kDefinition + "/StaticHyperParameters/";
  CHECK_THAT(reason_of(import.report.unmapped, fixed + "sagemaker_submit_directory"),
             Contains("unpack the code"));
  CHECK_THAT(reason_of(import.report.ignored, fixed + "_tuning_objective_metric"),
             Contains("SageMaker adds it"));
}

TEST_CASE("a script of SageMaker's script mode without a name is refused, unless a command trains",
          "[import]") {
  OrderedJson request = OrderedJson::parse(request_of("pytorch-script.json"));
  for (const char* name : {"\"\"", "", "  "}) {
    request["TrainingJobDefinition"]["StaticHyperParameters"]["sagemaker_program"] = name;
    CHECK_THAT(
        problems_of(request.dump(1)),
        Contains(kDefinition + "/StaticHyperParameters/sagemaker_program: the name of the script is empty"));
    CHECK(problems_of(request.dump(1), with_command()).empty());
  }
}

TEST_CASE("a metric whose name a spec cannot have is renamed everywhere, and that is said", "[import]") {
  const Import import = imported(request_of("pytorch-script.json"));
  const OrderedJson& spec = import.searches.at(0).spec;
  CHECK(spec.at("objective").at("metric") == "average_test_loss");
  CHECK(spec.at("metrics").at(0).at("name") == "average_test_loss");
  bool is_said = false;
  for (const Mapped& each : import.report.mapped)
    is_said |= each.note.find("\"average test loss\" is written so") != std::string::npos;
  CHECK(is_said);
  OrderedJson request = small_request();
  request["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"] = {
      {{"Name", "loss"}, {"Regex", "loss=(\\S+)"}},
      {{"Name", "a b"}, {"Regex", "x=(\\S+)"}},
      {{"Name", "a,b"}, {"Regex", "y=(\\S+)"}}};
  CHECK_THAT(problems_of(request.dump(1)),
             Contains("MetricDefinitions/2/Name: the metric \"a,b\" is there twice, as \"a b\""));
}

TEST_CASE("an answer of describe-hyper-parameter-tuning-job is a request with what became of it",
          "[import]") {
  const Import import = imported(request_of("described-linear-learner.json"));
  CHECK_THAT(reason_of(import.report.ignored, "/HyperParameterTuningJobStatus"),
             Contains("how the job went"));
  CHECK(import.searches.at(0).spec.at("resources").at("gpus_per_trial") == 0);
  CHECK_FALSE(import.searches.at(0).is_trainable);
  CHECK_THAT(reason_of(import.report.unmapped, kDefinition + "/AlgorithmSpecification/TrainingImage"),
             Contains("--command"));
}

TEST_CASE("hyperband, completion criteria, warm start and instances have their keys", "[import]") {
  const Import import = imported(request_of("hyperband-warm-start.json"), with_command());
  const OrderedJson& spec = import.searches.at(0).spec;
  CHECK(spec.at("strategy") ==
        OrderedJson({{"name", "hyperband"}, {"seed", 123}, {"min_resource", 1}, {"max_resource", 27}}));
  CHECK(spec.at("warm_start") == OrderedJson::array({{{"study", "bert-hyperband-1"}, {"kind", "transfer"}}}));
  CHECK(spec.at("limits") == OrderedJson({{"trials", 100},
                                          {"parallel", 10},
                                          {"time", "25h"},
                                          {"trial_time", "121m"},
                                          {"target", 0.93},
                                          {"no_improvement", 25}}));
  CHECK(spec.at("resources").at("gpus_per_trial") == 4);
  CHECK(spec.at("fixed").at("weight_decay") == 0.01);
  CHECK(spec.at("environment").at("HF_TOKEN") == "hf_123");
  CHECK_FALSE(spec.contains("early_stopping"));
  const std::vector<LeftOut>& unmapped = import.report.unmapped;
  CHECK_FALSE(reason_of(unmapped, "/Autotune").empty());
  CHECK_FALSE(reason_of(unmapped, kDefinition + "/EnableNetworkIsolation").empty());
  CHECK_FALSE(
      reason_of(unmapped, kJob + "/TuningJobCompletionCriteria/ConvergenceDetected/CompleteOnConvergence")
          .empty());
  CHECK_FALSE(
      reason_of(import.report.ignored, kDefinition + "/HyperParameterTuningResourceConfig/InstanceConfigs/1")
          .empty());
  CHECK(warns(import, "import and run the parent jobs first"));
  for (const Mapped& each : import.report.mapped) {
    if (!each.to.starts_with("/environment/")) continue;
    CAPTURE(each.to);
    CHECK((each.note.find("from_env") != std::string::npos) == (each.to == "/environment/HF_TOKEN"));
  }
}

TEST_CASE("retries after faults of the machine are counted with the first attempt", "[import]") {
  const Import import = imported(request_of("hyperband-warm-start.json"), with_command());
  CHECK(import.searches.at(0).spec.at("retry").at("infrastructure").at("tries") == 4);
}

TEST_CASE("convergence becomes a limit of the strategy that expects something", "[import]") {
  const std::string criteria = kJob + "/TuningJobCompletionCriteria";
  const auto limits = [&](const std::string& word) {
    return imported(
               changed(criteria, "{\"ConvergenceDetected\": {\"CompleteOnConvergence\": \"" + word + "\"}}"))
        .searches.at(0)
        .spec.at("limits");
  };
  CHECK(limits("Enabled").at("convergence") == 0.01);
  CHECK(limits("ENABLED").at("convergence") == 0.01);
  CHECK_FALSE(limits("Disabled").contains("convergence"));
}

TEST_CASE("each of several definitions becomes a spec with its part of the jobs", "[import]") {
  const Import import = imported(request_of("two-algorithms.json"));
  REQUIRE(import.searches.size() == 2);
  CHECK(import.searches[0].study == "churn-two-xgboost");
  CHECK(import.searches[1].study == "churn-two-forest");
  CHECK(import.searches[0].spec.at("limits").at("trials") == 8);
  CHECK(import.searches[1].spec.at("limits").at("trials") == 7);
  CHECK(import.searches[1].spec.at("limits").at("trial_time") == "1d");
  CHECK(import.searches[1].spec.at("parameters").at("trees").at("scale") == "log");
  CHECK(import.searches[0].spec.at("fixed").at("rate_drop") == "0.30");  // as a program would get it
  CHECK(warns(import, "a built-in algorithm of SageMaker brings its own"));
  const std::string forest = "/TrainingJobDefinitions/1/ResourceConfig";
  CHECK_THAT(reason_of(import.report.unmapped, forest + "/InstanceType"), Contains("not known here"));
  CHECK_THAT(reason_of(import.report.unmapped, forest + "/InstanceCount"), Contains("one machine"));
  ImportOptions one;
  one.definition = "forest";
  const Import chosen = imported(request_of("two-algorithms.json"), one);
  REQUIRE(chosen.searches.size() == 1);
  CHECK(chosen.searches[0].spec == import.searches[1].spec);
  one.definition = "forrest";
  CHECK_THROWS_WITH(imported(request_of("two-algorithms.json"), one), Contains("no definition \"forrest\""));
}

TEST_CASE("a grid has as many trials as points", "[import]") {
  OrderedJson request = small_request();
  OrderedJson& config = request["HyperParameterTuningJobConfig"];
  config["Strategy"] = "Grid";
  config["ResourceLimits"].erase("MaxNumberOfTrainingJobs");
  config["ParameterRanges"] = {
      {"CategoricalParameterRanges",
       {{{"Name", "a"}, {"Values", {"1", "2", "3"}}}, {{"Name", "b"}, {"Values", {"x", "y"}}}}}};
  CHECK(imported(request.dump()).searches.at(0).spec.at("limits").at("trials") == 6);
  config["ResourceLimits"]["MaxNumberOfTrainingJobs"] = 6;
  CHECK(imported(request.dump()).searches.at(0).spec.at("limits").at("trials") == 6);
}

TEST_CASE("both spellings of a choice are read", "[import]") {
  const std::string place = "/WarmStartConfig";
  const auto kind = [&](const std::string& type) {
    const std::string start =
        "{\"ParentHyperParameterTuningJobs\": [{\"HyperParameterTuningJobName\": \"p1\"}], "
        "\"WarmStartType\": \"" +
        type + "\"}";
    return imported(changed(place, start)).searches.at(0).spec.at("warm_start").at(0).at("kind");
  };
  CHECK(kind("IdenticalDataAndAlgorithm") == "identical");
  CHECK(kind("IDENTICAL_DATA_AND_ALGORITHM") == "identical");
  CHECK(kind("TransferLearning") == "transfer");
  const auto rule = [](const std::string& type) {
    return imported(changed(kJob + "/TrainingJobEarlyStoppingType", "\"" + type + "\""))
        .searches.at(0)
        .spec.at("early_stopping")
        .at("rule");
  };
  CHECK(rule("AUTO") == rule("Auto"));
  CHECK(rule("OFF") == "none");
  CHECK_THAT(problems_of(changed(kJob + "/TrainingJobEarlyStoppingType", "\"auto\"")),
             Contains("did you mean \"Auto\"?"));
}

TEST_CASE("the environment may be a map or a list, and data has a place in it", "[import]") {
  const auto environment = [](const std::string& json) {
    return imported(changed(kDefinition + "/Environment", json)).searches.at(0).spec.at("environment");
  };
  CHECK(environment(R"({"A": "1", "B": "x"})") == OrderedJson({{"A", "1"}, {"B", "x"}}));
  CHECK(environment(R"([{"A": "1"}, {"B": "x"}])") == OrderedJson({{"A", "1"}, {"B", "x"}}));
  CHECK(environment(R"([{"Name": "A", "Value": "1"}, {"Key": "B", "Value": "x"}])") ==
        OrderedJson({{"A", "1"}, {"B", "x"}}));
  CHECK_THAT(
      problems_of(changed(kDefinition + "/Environment", R"([{"SM_LOG_LEVEL": 10}])")),
      Contains(
          "/Environment/0/SM_LOG_LEVEL: must be a text, but is the number 10 | put it in quotes: \"10\""));
  CHECK_THAT(problems_of(changed(kDefinition + "/Environment", R"({"CUDA_VISIBLE_DEVICES": "0"})")),
             Contains("/Environment/CUDA_VISIBLE_DEVICES: \"CUDA_VISIBLE_DEVICES\" is set by tune itself"));
}

TEST_CASE("unknown fields are kept and named, with what they may be meant as", "[import]") {
  OrderedJson request = small_request();
  request["HyperParameterTuningJobConfig"]["RandomSeeed"] = {{"deep", 1}};
  const Import import = imported(request.dump());
  REQUIRE_FALSE(import.report.unmapped.empty());
  CHECK_THAT(reason_of(import.report.unmapped, kJob + "/RandomSeeed"),
             Contains("did you mean \"RandomSeed\"?"));
  CHECK(import.report.unmapped.at(0).value == OrderedJson({{"deep", 1}}));
}

TEST_CASE("a command that names placeholders is taken as it is", "[import]") {
  const OrderedJson spec =
      imported(small_request().dump(), with_command({"train", "{{trial_file}}"})).searches.at(0).spec;
  CHECK(spec.at("command") == OrderedJson({"train", "{{trial_file}}"}));
  CHECK_THAT(problems_of(small_request().dump(), with_command({"train", "{{learning_rate}}"})),
             Contains("--command: \"{{learning_rate}}\" names no parameter"));
}

TEST_CASE("a place in S3 that no --map names is said, and a --map that names none too", "[import]") {
  ImportOptions options;
  options.paths.add("s3://steel-bucket/ssd/tra=/data");  // no part of the path ends there
  const Import import = imported(request_of("object-detection.json"), options);
  CHECK_FALSE(import.searches.at(0).spec.at("trainer").contains("data"));
  const std::string uri = kDefinition + "/InputDataConfig/0/DataSource/S3DataSource/S3Uri";
  CHECK_THAT(reason_of(import.report.unmapped, uri), Contains("--map s3://steel-bucket/ssd/train/=FOLDER"));
  CHECK(warns(import, "--map s3://steel-bucket/ssd/tra=/data matches nothing"));
}

TEST_CASE("what a spec warns of is warned of at its place in the request", "[import]") {
  const Import import = imported(changed(kJob + "/HyperParameterTuningJobObjective/Type", "\"Maximize\""));
  REQUIRE(warns(import, "\"loss\" is maximized, but its name says that less is better"));
  CHECK(import.report.warnings.at(0).pointer == kJob + "/HyperParameterTuningJobObjective/Type");
  CHECK(import.report.warnings.at(0).line > 0);
}

TEST_CASE("a spec is written with a line for each parameter, and reads back the same", "[import]") {
  const OrderedJson spec = imported(small_request().dump(), with_command()).searches.at(0).spec;
  const std::string text = spec_text(spec);
  CHECK(OrderedJson::parse(text) == spec);
  CHECK_THAT(
      text,
      Contains(
          "\n    \"lr\": { \"type\": \"float\", \"min\": 0.001, \"max\": 0.1, \"scale\": \"auto\" },\n"));
}

TEST_CASE("a price that is given is the spec's", "[import]") {
  ImportOptions options = with_command();
  options.usd_per_hour = 3.06;
  CHECK(imported(small_request().dump(), options).searches.at(0).spec.at("cost").at("usd_per_hour") == 3.06);
}

}  // namespace
}  // namespace tune::amt

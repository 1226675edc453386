#include "support/catch.h"
#include "unit/import/request_fixture.h"

namespace tune::amt {
namespace {

using Catch::Matchers::Contains;

const std::string kTuning = "/HyperParameterTuningJobConfig";
const std::string kRanges = kTuning + "/ParameterRanges";
const std::string kTraining = "/TrainingJobDefinition";

struct Mistake {
  std::string pointer, json, says;  // says: a part of "pointer: message | hint"
};

// A list of `count` entries, of which "#" stands for the number.
std::string list_of(const std::string& entry, int count) {
  std::string list = "[";
  for (int i = 0; i < count; ++i) {
    std::string each = entry;
    if (const std::size_t at = each.find('#'); at != std::string::npos)
      each.replace(at, 1, std::to_string(i));
    list += (i == 0 ? "" : ", ") + each;
  }
  return list + "]";
}

TEST_CASE("what SageMaker refuses is a problem with its place and a cure", "[import]") {
  const std::string range = kRanges + "/ContinuousParameterRanges/0",
                    whole = kRanges + "/IntegerParameterRanges/0";
  const std::string choices = kRanges + "/CategoricalParameterRanges/0/Values",
                    limits = kTuning + "/ResourceLimits";
  const std::string algorithm = kTraining + "/AlgorithmSpecification";
  const std::string float_range = R"({"Name": "p#", "MinValue": "0", "MaxValue": "1"})";
  const std::vector<Mistake> mistakes{
      // what has to be there
      {"/HyperParameterTuningJobName", "",
       "\"HyperParameterTuningJobName\" is missing | SageMaker requires it"},
      {kTuning, "", "\"HyperParameterTuningJobConfig\" is missing"},
      {kTuning + "/Strategy", "", "\"Strategy\" is missing"},
      {limits, "", "\"ResourceLimits\" is missing"},
      {limits + "/MaxParallelTrainingJobs", "", "\"MaxParallelTrainingJobs\" is missing"},
      {kTuning + "/HyperParameterTuningJobObjective", "",
       kTuning + ": there is no objective | add \"HyperParameterTuningJobObjective\""},
      {kTraining, "", "neither TrainingJobDefinition nor TrainingJobDefinitions"},
      {algorithm, "", "\"AlgorithmSpecification\" is missing"},
      {algorithm + "/TrainingInputMode", "", "\"TrainingInputMode\" is missing"},
      {kTraining + "/RoleArn", "", "\"RoleArn\" is missing"},
      {kTraining + "/OutputDataConfig", "", "\"OutputDataConfig\" is missing"},
      {kTraining + "/StoppingCondition", "", "\"StoppingCondition\" is missing"},
      {kTraining + "/ResourceConfig", "", "neither ResourceConfig nor HyperParameterTuningResourceConfig"},
      {kRanges, "", "there is no hyperparameter to search"},
      // names and choices
      {"/HyperParameterTuningJobName", "\"my_job\"",
       "/HyperParameterTuningJobName: \"my_job\" is not valid here | letters, digits"},
      {"/HyperParameterTuningJobName", "\"-job\"", "with a letter or digit at both ends"},
      {"/HyperParameterTuningJobName", "\"" + std::string(33, 'a') + "\"",
       "has 33 characters | SageMaker allows at most 32"},
      {kTuning + "/Strategy", "\"Bayes\"",
       "Strategy: \"Bayes\" is not a valid Strategy | did you mean \"Bayesian\"?"},
      {kTuning + "/HyperParameterTuningJobObjective/Type", "\"Max\"", "did you mean \"Maximize\"?"},
      {range + "/ScalingType", "\"Log\"",
       "\"Log\" is not a valid ScalingType | did you mean \"Logarithmic\"?"},
      {algorithm + "/TrainingInputMode", "\"Disk\"", "valid are: File, Pipe, FastFile"},
      // ranges
      {range + "/MinValue", "0.001",
       "MinValue: must be a text, but is the number 0.001 | put it in quotes: \"0.001\""},
      {range + "/MinValue", "\" 0.001 \"", "\" 0.001 \" has blanks around the number | write \"0.001\""},
      {range + "/MinValue", "\"0,001\"", "\"0,001\" is not a finite number | as in \"0.5\" or \"1e-6\""},
      {range + "/MaxValue", "\"inf\"", "\"inf\" is not a finite number"},
      {range + "/MaxValue", "\"\"", "\"\" is not a finite number"},
      {range + "/MinValue", "\"5\"", "MinValue is greater than MaxValue | swap them"},
      {whole + "/MaxValue", "\"4.5\"",
       "\"4.5\" is not a whole number | a range with fractions belongs in ContinuousParameterRanges"},
      {whole + "/MaxValue", "\"1e300\"", "beyond 2^53"},
      {range, R"({"Name": "wd", "MinValue": "0.0", "MaxValue": "0.9", "ScalingType": "Logarithmic"})",
       "ScalingType: Logarithmic needs values greater than 0, but MinValue is 0 | raise MinValue"},
      {range, R"({"Name": "m", "MinValue": "0", "MaxValue": "1", "ScalingType": "ReverseLogarithmic"})",
       "ReverseLogarithmic needs 0 <= MinValue and MaxValue < 1.0, but the range is 0 to 1 | change the "
       "range"},
      {whole + "/ScalingType", "\"ReverseLogarithmic\"", "ReverseLogarithmic is for continuous ranges"},
      {choices, "[]", "Values: there are 0 values | SageMaker takes 1 to 30 values"},
      {choices, list_of("\"#\"", 31), "there are 31 values"},
      {choices, "[1, 2]", "Values/0: must be a text, but is the number 1 | put it in quotes: \"1\""},
      {choices + "/0", "\"" + std::string(257, 'x') + "\"", "the value has 257 characters"},
      {choices, "\"sgd\"", "Values: must be a list of texts, but is the text \"sgd\""},
      {kRanges + "/ContinuousParameterRanges", list_of(float_range, 29),
       "there are 31 hyperparameters to search | SageMaker searches at most 30"},
      {whole + "/Name", "\"lr\"",
       "IntegerParameterRanges/0/Name: the hyperparameter \"lr\" is there twice | it is also at " + range +
           "/Name"},
      {kTraining + "/StaticHyperParameters/lr", "\"0.1\"",
       "StaticHyperParameters/lr: the hyperparameter \"lr\" is there twice"},
      {kTraining + "/StaticHyperParameters/epochs", "10",
       "epochs: must be a text, but is the number 10 | put it in quotes: \"10\""},
      {kTraining + "/StaticHyperParameters/epochs", "\"" + std::string(2501, 'x') + "\"",
       "the value has 2501 characters | SageMaker allows at most 2500"},
      // counts
      {limits + "/MaxParallelTrainingJobs", "101", "101 is too large | SageMaker's most is 100"},
      {limits + "/MaxParallelTrainingJobs", "0", "0 is too small | SageMaker's least is 1"},
      {limits + "/MaxParallelTrainingJobs", "\"2\"",
       "must be a whole number, but is the text \"2\" | write it without quotes"},
      {limits + "/MaxParallelTrainingJobs", "1.5", "must be a whole number, but is the number 1.5"},
      {limits + "/MaxNumberOfTrainingJobs", "751", "751 is too large | SageMaker's most is 750"},
      {limits + "/MaxNumberOfTrainingJobs", "",
       "ResourceLimits: nothing here ends the search | add \"MaxNumberOfTrainingJobs\""},
      {limits + "/MaxRuntimeInSeconds", "60", "60 is too small | SageMaker's least is 120"},
      {limits + "/MaxRuntimeInSeconds", "15768001", "15768001 is too large"},
      {kTuning + "/RandomSeed", "-1", "-1 is too small"},
      {kTuning + "/TuningJobCompletionCriteria",
       R"({"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 2}})",
       "2 is too small | SageMaker's least is 3"},
      {kTuning + "/TuningJobCompletionCriteria",
       R"({"ConvergenceDetected": {"CompleteOnConvergence": "Yes"}})", "valid are: Enabled, Disabled"},
      {kTuning + "/TuningJobCompletionCriteria", R"({"TargetObjectiveMetricValue": "0.9"})",
       "write it without quotes"},
      {kTraining + "/RetryStrategy", R"({"MaximumRetryAttempts": 31})",
       "31 is too large | SageMaker's most is 30"},
      {kTraining + "/Environment", R"({"A": ")" + std::string(513, 'x') + "\"}",
       "the value has 513 characters"},
      {algorithm + "/MetricDefinitions", list_of(R"j({"Name": "m#", "Regex": "m=(\\S+)"})j", 41),
       "has 41 entries | SageMaker allows at most 40"},
      {algorithm + "/MetricDefinitions/0/Regex", "\"loss=(\\\\S+)" + std::string(500, 'x') + "\"",
       "SageMaker allows at most 500"},
      {algorithm + "/MetricDefinitions/0/Regex", "\"\"", "\"Regex\" is empty"},
      {algorithm + "/AlgorithmName", "\"forest\"",
       "AlgorithmName: TrainingImage and AlgorithmName exclude each other"},
      {kTraining + "/InputDataConfig",
       list_of(R"({"ChannelName": "c#", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/c"}}})", 21),
       "has 21 entries | SageMaker allows at most 20"},
      {kTraining + "/HyperParameterTuningResourceConfig", R"({"InstanceType": "ml.g5.xlarge"})",
       "exclude each other"},
      // strategies
      {kTuning + "/Strategy", "\"Grid\"",
       "ContinuousParameterRanges/0: the strategy Grid takes categorical ranges alone"},
      {kTuning + "/StrategyConfig", R"({"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}})",
       "goes with the strategy Hyperband alone"},
      // warm start
      {"/WarmStartConfig", R"({"ParentHyperParameterTuningJobs": [], "WarmStartType": "TransferLearning"})",
       "\"ParentHyperParameterTuningJobs\" is empty"},
      {"/WarmStartConfig",
       "{\"ParentHyperParameterTuningJobs\": " + list_of(R"({"HyperParameterTuningJobName": "p#"})", 6) +
           ", \"WarmStartType\": \"TransferLearning\"}",
       "has 6 entries | SageMaker allows at most 5"},
      {"/WarmStartConfig",
       "{\"ParentHyperParameterTuningJobs\": " + list_of(R"({"HyperParameterTuningJobName": "p"})", 2) +
           ", \"WarmStartType\": \"TransferLearning\"}",
       "1/HyperParameterTuningJobName: the job \"p\" is there twice"},
      {"/WarmStartConfig",
       R"({"ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "p"}], "WarmStartType": "Transfer"})",
       "did you mean \"TransferLearning\"?"},
      // null is no value
      {kTraining + "/RetryStrategy", "null", "must be an object, but is null | leave it out"},
      // what a spec refuses
      {range + "/Name", "\"\xE5\xAD\xA6\xE4\xB9\xA0\xE7\x8E\x87\"", "ContinuousParameterRanges/0/Name: "},
      {range + "/Name", "\"learning rate\"",
       "\"learning rate\" cannot be the name of a hyperparameter here: a name starts with a letter"},
      {kTuning + "/HyperParameterTuningJobObjective/MetricName", "\"accuracy\"",
       "MetricName: \"accuracy\" is not among the metrics"},
      {"/HyperParameterTuningJobName", "\"models\"",
       "/HyperParameterTuningJobName: \"models\" is not valid here"},
  };
  for (const Mistake& mistake : mistakes) {
    CAPTURE(mistake.pointer, mistake.json);
    CHECK_THAT(problems_of(changed(mistake.pointer, mistake.json), with_command()), Contains(mistake.says));
  }
}

TEST_CASE("one mistake makes one problem", "[import]") {
  for (const auto& [pointer, json] : std::vector<std::pair<std::string, std::string>>{
           {kRanges + "/ContinuousParameterRanges/0/MinValue", "\"x\""},
           {kTuning + "/Strategy", "\"Bayes\""},
           {kTuning + "/HyperParameterTuningJobObjective/Type", "\"Max\""},
           {kTuning + "/ResourceLimits", ""},
           {"/HyperParameterTuningJobName", "\"my_job\""},
           {kRanges + "/CategoricalParameterRanges/0/Values", "[]"},
           {kTraining + "/AlgorithmSpecification/MetricDefinitions/0/Regex", "\"\""},
           {kTraining + "/StaticHyperParameters/epochs", "10"}}) {
    const std::string found = problems_of(changed(pointer, json), with_command());
    CAPTURE(pointer, found);
    CHECK(std::count(found.begin(), found.end(), '\n') == 1);
  }
}

TEST_CASE("all problems are shown at once, in the order of the text", "[import]") {
  OrderedJson request = small_request();
  request["HyperParameterTuningJobConfig"]["ParameterRanges"]["ContinuousParameterRanges"][0]["MinValue"] =
      0.001;
  request["HyperParameterTuningJobConfig"]["Strategy"] = "bayesian";
  request["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"][0]["Regex"] =
      "(?<=loss )\\S+";
  request["TrainingJobDefinition"].erase("RoleArn");
  const std::string found = problems_of(request.dump(1), with_command());
  CHECK(std::count(found.begin(), found.end(), '\n') == 4);
  CHECK(found.find("Strategy") < found.find("MinValue"));
  CHECK(found.find("RoleArn") != std::string::npos);
  CHECK(found.find("look-around") != std::string::npos);
}

TEST_CASE("hyperband has to know the length of a training, and stops jobs by itself", "[import]") {
  OrderedJson request = small_request();
  OrderedJson& config = request["HyperParameterTuningJobConfig"];
  config["Strategy"] = "Hyperband";
  CHECK(problems_of(request.dump(1), with_command()).empty());  // epochs
  config["TrainingJobEarlyStoppingType"] = "Auto";
  CHECK_THAT(
      problems_of(request.dump(1)),
      Contains("TrainingJobEarlyStoppingType: the strategy Hyperband stops jobs by a rule of its own"));
  config["TrainingJobEarlyStoppingType"] = "Off";
  request["TrainingJobDefinition"]["StaticHyperParameters"]["epochs"] = "many";
  CHECK_THAT(problems_of(request.dump(1)), Contains("epochs: \"many\" is no length of a training"));
  request["TrainingJobDefinition"]["StaticHyperParameters"].erase("epochs");
  CHECK_THAT(problems_of(request.dump(1)),
             Contains("has to know how long a training is | add \"HyperbandStrategyConfig\""));
  config["StrategyConfig"]["HyperbandStrategyConfig"] = {{"MinResource", 9}, {"MaxResource", 3}};
  CHECK_THAT(problems_of(request.dump(1)), Contains("MinResource is greater than MaxResource"));
  config["StrategyConfig"]["HyperbandStrategyConfig"] = {{"MinResource", 1}, {"MaxResource", 20001}};
  CHECK_THAT(problems_of(request.dump(1)), Contains("20001 is too large | SageMaker's most is 20000"));
}

TEST_CASE("a grid's count of jobs is that of its combinations", "[import]") {
  OrderedJson request = small_request();
  OrderedJson& config = request["HyperParameterTuningJobConfig"];
  config["Strategy"] = "Grid";
  config["ParameterRanges"] = {
      {"CategoricalParameterRanges", {{{"Name", "a"}, {"Values", {"1", "2", "3"}}}}}};
  CHECK_THAT(problems_of(request.dump(1)),
             Contains("MaxNumberOfTrainingJobs: 4 jobs, but the grid has 3 combinations | write 3"));
}

TEST_CASE("random may have more jobs, and no more than its own most", "[import]") {
  OrderedJson request = small_request();
  OrderedJson& config = request["HyperParameterTuningJobConfig"];
  config["Strategy"] = "Random";
  config["ResourceLimits"]["MaxNumberOfTrainingJobs"] = 10000;
  CHECK(problems_of(request.dump(1), with_command()).empty());
  config["ResourceLimits"]["MaxNumberOfTrainingJobs"] = 10001;
  CHECK_THAT(problems_of(request.dump(1)), Contains("10001 is too large"));
}

TEST_CASE("a hundred hyperparameters count with the one that SageMaker adds", "[import]") {
  OrderedJson request = small_request();
  OrderedJson fixed = OrderedJson::object();
  for (int i = 0; i < 96; ++i) fixed["f" + std::to_string(i)] = "1";
  request["TrainingJobDefinition"]["StaticHyperParameters"] = fixed;
  CHECK(problems_of(request.dump(1), with_command()).empty());
  fixed["_tuning_objective_metric"] = "loss";
  request["TrainingJobDefinition"]["StaticHyperParameters"] = fixed;
  CHECK(problems_of(request.dump(1), with_command()).empty());
  fixed["f96"] = "1";
  request["TrainingJobDefinition"]["StaticHyperParameters"] = fixed;
  CHECK_THAT(problems_of(request.dump(1)),
             Contains("there are 101 hyperparameters, with _tuning_objective_metric"));
}

TEST_CASE("several definitions have names, and neither warm start nor early stopping", "[import]") {
  OrderedJson request = OrderedJson::parse(request_of("two-algorithms.json"));
  request["TrainingJobDefinitions"][1]["DefinitionName"] = "xgboost";
  CHECK_THAT(problems_of(request.dump(1)),
             Contains("1/DefinitionName: the definition \"xgboost\" is there twice"));
  request["TrainingJobDefinitions"][1].erase("DefinitionName");
  CHECK_THAT(problems_of(request.dump(1)), Contains("\"DefinitionName\" is missing"));
  request["TrainingJobDefinitions"][1]["DefinitionName"] = "forest";
  request["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] = "Auto";
  request["WarmStartConfig"] = {{"ParentHyperParameterTuningJobs", {{{"HyperParameterTuningJobName", "p"}}}},
                                {"WarmStartType", "TransferLearning"}};
  const std::string found = problems_of(request.dump(1));
  CHECK_THAT(found, Contains("a job with several definitions has no early stopping"));
  CHECK_THAT(found, Contains("a job with several definitions has no warm start"));
  request["TrainingJobDefinition"] = small_request()["TrainingJobDefinition"];
  CHECK_THAT(problems_of(request.dump(1)),
             Contains("TrainingJobDefinition and TrainingJobDefinitions exclude each other"));
}

TEST_CASE("a file with one argument of the AWS command line alone is told from a request", "[import]") {
  const std::string config = small_request().at("HyperParameterTuningJobConfig").dump(1);
  CHECK_THAT(problems_of(config), Contains("this is the configuration alone"));
}

}  // namespace
}  // namespace tune::amt

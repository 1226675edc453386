#pragma once
// Requests to change one thing of.
#include <fstream>
#include <iterator>
#include <string>

#include "support/catch.h"
#include "tuner/import/amt_import.h"

namespace tune::amt {

inline std::string request_of(const std::string& name) {
  std::ifstream file(std::string(TUNE_SOURCE_DIR) + "/tests/unit/import/requests/" + name);
  REQUIRE(file.good());
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline OrderedJson small_request() {
  return OrderedJson::parse(R"json({
  "HyperParameterTuningJobName": "small",
  "HyperParameterTuningJobConfig": {
    "Strategy": "Bayesian",
    "HyperParameterTuningJobObjective": { "Type": "Minimize", "MetricName": "loss" },
    "ResourceLimits": { "MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2 },
    "ParameterRanges": {
      "ContinuousParameterRanges": [ { "Name": "lr", "MinValue": "0.001", "MaxValue": "0.1" } ],
      "IntegerParameterRanges": [ { "Name": "layers", "MinValue": "1", "MaxValue": "4" } ],
      "CategoricalParameterRanges": [ { "Name": "optimizer", "Values": ["sgd", "adam"] } ]
    }
  },
  "TrainingJobDefinition": {
    "StaticHyperParameters": { "epochs": "10" },
    "AlgorithmSpecification": {
      "TrainingImage": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/mine:1",
      "TrainingInputMode": "File",
      "MetricDefinitions": [ { "Name": "loss", "Regex": "loss=(\\S+)" } ]
    },
    "RoleArn": "arn:aws:iam::111122223333:role/Training",
    "OutputDataConfig": { "S3OutputPath": "s3://bucket/output" },
    "ResourceConfig": { "InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30 },
    "StoppingCondition": { "MaxRuntimeInSeconds": 3600 }
  }
})json");
}

inline Import imported(const std::string& text, ImportOptions options = {}) {
  return import_request(text, "job.json", options);
}

inline ImportOptions with_command(std::vector<std::string> words = {"python3", "train.py"}) {
  ImportOptions options;
  options.command = std::move(words);
  return options;
}

// All problems as lines "pointer: message | hint".
inline std::string problems_of(const std::string& text, const ImportOptions& options = {}) {
  try {
    import_request(text, "job.json", options);
  } catch (const SpecError& error) {
    std::string lines;
    for (const Problem& problem : error.problems()) {
      CHECK(problem.line > 0);
      lines += problem.pointer + ": " + problem.message + " | " + problem.hint + "\n";
    }
    return lines;
  }
  return "";
}

// The small request with the value at `pointer` replaced by `json`, or removed where that is "".
inline std::string changed(const std::string& pointer, const std::string& json) {
  OrderedJson document = small_request();
  const OrderedJson::json_pointer place(pointer);
  if (json.empty())
    document.at(place.parent_pointer()).erase(place.back());
  else
    document[place] = OrderedJson::parse(json);
  return document.dump(1);
}

// The reason with which a field was left out; "" where it was not.
inline std::string reason_of(const std::vector<LeftOut>& list, const std::string& pointer) {
  for (const LeftOut& each : list)
    if (each.from == pointer) return each.reason;
  return "";
}

inline bool warns(const Import& import, const std::string& part) {
  for (const Problem& warning : import.report.warnings)
    if ((warning.message + " | " + warning.hint).find(part) != std::string::npos) return true;
  return false;
}

}  // namespace tune::amt

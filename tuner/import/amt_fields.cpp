#include "tuner/import/amt_fields.h"

namespace tune::amt {
namespace {

using enum FieldKind;

constexpr const char* kOfAnswer = "it says how the job went, not what is searched";
constexpr const char* kAccess = "permissions, networks and keys of AWS mean nothing here";
constexpr const char* kVolume = "a trial uses the disk of this machine";

const FieldTable kObjectiveFields{{
    {.name = "Type", .kind = kText, .required = true, .choices = {"Maximize", "Minimize"}},
    {.name = "MetricName", .kind = kText, .required = true, .least = 1, .most = 255},
}};

const std::vector<std::string_view> kScales{"Auto", "Linear", "Logarithmic", "ReverseLogarithmic"};

const FieldTable kNumberRangeFields{{
    {.name = "Name", .kind = kText, .required = true, .least = 1, .most = 256},
    {.name = "MinValue", .kind = kText, .required = true, .most = 256},
    {.name = "MaxValue", .kind = kText, .required = true, .most = 256},
    {.name = "ScalingType", .kind = kText, .choices = kScales},
}};

const FieldTable kCategoricalRangeFields{{
    {.name = "Name", .kind = kText, .required = true, .least = 1, .most = 256},
    {.name = "Values", .required = true},
}};

const FieldTable kAutoParameterFields{{
    {.name = "Name", .kind = kText, .required = true, .least = 1, .most = 256},
    {.name = "ValueHint", .kind = kText, .required = true, .most = 256},
}};

const FieldTable kRangesFields{{
    {.name = "ContinuousParameterRanges", .kind = kObjects, .most = 30, .fields = &kNumberRangeFields},
    {.name = "IntegerParameterRanges", .kind = kObjects, .most = 30, .fields = &kNumberRangeFields},
    {.name = "CategoricalParameterRanges", .kind = kObjects, .most = 30, .fields = &kCategoricalRangeFields},
    {.name = "AutoParameters", .kind = kObjects, .most = 30, .fields = &kAutoParameterFields},
}};

const FieldTable kHyperbandFields{{
    {.name = "MinResource", .kind = kWholeNumber, .least = 1},
    {.name = "MaxResource", .kind = kWholeNumber, .least = 1, .most = 20000},
}};

const FieldTable kStrategyConfigFields{{
    {.name = "HyperbandStrategyConfig", .kind = kObject, .fields = &kHyperbandFields},
}};

const FieldTable kResourceLimitsFields{{
    {.name = "MaxNumberOfTrainingJobs", .kind = kWholeNumber, .least = 1},
    {.name = "MaxParallelTrainingJobs", .kind = kWholeNumber, .required = true, .least = 1, .most = 100},
    {.name = "MaxRuntimeInSeconds", .kind = kWholeNumber, .least = 120, .most = 15768000},
}};

const FieldTable kNotImprovingFields{{
    {.name = "MaxNumberOfTrainingJobsNotImproving", .kind = kWholeNumber, .least = 3},
}};

const FieldTable kConvergenceFields{{
    {.name = "CompleteOnConvergence", .kind = kText, .choices = {"Enabled", "Disabled"}},
}};

const FieldTable kCompletionFields{{
    {.name = "TargetObjectiveMetricValue", .kind = kNumber},
    {.name = "BestObjectiveNotImproving", .kind = kObject, .fields = &kNotImprovingFields},
    {.name = "ConvergenceDetected", .kind = kObject, .fields = &kConvergenceFields},
}};

const FieldTable kConfigFields{{
    {.name = "Strategy",
     .kind = kText,
     .required = true,
     .choices = {"Bayesian", "Random", "Hyperband", "Grid"}},
    {.name = "StrategyConfig", .kind = kObject, .fields = &kStrategyConfigFields},
    {.name = "HyperParameterTuningJobObjective", .kind = kObject, .fields = &kObjectiveFields},
    {.name = "ResourceLimits", .kind = kObject, .required = true, .fields = &kResourceLimitsFields},
    {.name = "ParameterRanges", .kind = kObject, .fields = &kRangesFields},
    {.name = "TrainingJobEarlyStoppingType", .kind = kText, .choices = {"Off", "Auto"}},
    {.name = "TuningJobCompletionCriteria", .kind = kObject, .fields = &kCompletionFields},
    {.name = "RandomSeed", .kind = kWholeNumber, .least = 0},
}};

const FieldTable kMetricFields{{
    {.name = "Name", .kind = kText, .required = true, .least = 1, .most = 255},
    {.name = "Regex", .kind = kText, .required = true, .least = 1, .most = 500},
}};

const FieldTable kAlgorithmFields{{
    {.name = "TrainingImage", .kind = kText, .most = 255},
    {.name = "TrainingInputMode",
     .kind = kText,
     .required = true,
     .choices = {"File", "Pipe", "FastFile"},
     .fate = Fate::kIgnored,
     .reason = "a trial reads its data from this machine"},
    {.name = "AlgorithmName", .kind = kText, .least = 1, .most = 170},
    {.name = "MetricDefinitions", .kind = kObjects, .most = 40, .fields = &kMetricFields},
}};

const FieldTable kS3SourceFields{{
    {.name = "S3DataType",
     .kind = kText,
     .fate = Fate::kIgnored,
     .reason = "files of this machine are named as paths"},
    {.name = "S3Uri", .kind = kText, .required = true, .most = 1024},
    {.name = "S3DataDistributionType",
     .kind = kText,
     .fate = Fate::kIgnored,
     .reason = "a trial has one machine, and all of the data"},
    {.name = "AttributeNames",
     .fate = Fate::kUnmapped,
     .reason = "a trainer says itself which attributes it reads"},
    {.name = "InstanceGroupNames", .fate = Fate::kIgnored, .reason = "a trial has one machine"},
}};

const FieldTable kDataSourceFields{{
    {.name = "S3DataSource", .kind = kObject, .fields = &kS3SourceFields},
    {.name = "FileSystemDataSource",
     .fate = Fate::kUnmapped,
     .reason = "file systems of AWS are not mounted here; name the local folder in the trainer's arguments"},
}};

constexpr const char* kReader = "the trainer itself knows how to read its data";

const FieldTable kChannelFields{{
    {.name = "ChannelName", .kind = kText, .required = true, .least = 1, .most = 64},
    {.name = "DataSource", .kind = kObject, .required = true, .fields = &kDataSourceFields},
    {.name = "ContentType", .kind = kText, .fate = Fate::kIgnored, .reason = kReader},
    {.name = "CompressionType", .kind = kText, .fate = Fate::kIgnored, .reason = kReader},
    {.name = "RecordWrapperType", .kind = kText, .fate = Fate::kIgnored, .reason = kReader},
    {.name = "InputMode",
     .kind = kText,
     .fate = Fate::kIgnored,
     .reason = "a trial reads its data from this machine"},
    {.name = "ShuffleConfig", .fate = Fate::kUnmapped, .reason = kReader},
}};

const FieldTable kInstanceConfigFields{{
    {.name = "InstanceType", .kind = kText, .required = true},
    {.name = "InstanceCount", .kind = kWholeNumber, .required = true, .least = 0},
    {.name = "VolumeSizeInGB",
     .kind = kWholeNumber,
     .required = true,
     .least = 0,
     .fate = Fate::kIgnored,
     .reason = kVolume},
}};

const FieldTable kResourcesFields{{
    {.name = "InstanceType", .kind = kText},
    {.name = "InstanceCount", .kind = kWholeNumber, .least = 0},
    {.name = "VolumeSizeInGB", .kind = kWholeNumber, .least = 0, .fate = Fate::kIgnored, .reason = kVolume},
    {.name = "VolumeKmsKeyId", .kind = kText, .fate = Fate::kIgnored, .reason = kAccess},
    {.name = "KeepAlivePeriodInSeconds",
     .kind = kWholeNumber,
     .fate = Fate::kIgnored,
     .reason = "nothing has to be kept warm: a trial starts at once"},
    {.name = "TrainingPlanArn",
     .kind = kText,
     .fate = Fate::kIgnored,
     .reason = "capacity of AWS is not reserved"},
    {.name = "InstanceGroups", .fate = Fate::kUnmapped, .reason = "a trial has one machine"},
    {.name = "InstancePlacementConfig", .fate = Fate::kUnmapped, .reason = "a trial has one machine"},
}};

const FieldTable kTuningResourcesFields{{
    {.name = "InstanceType", .kind = kText},
    {.name = "InstanceCount", .kind = kWholeNumber, .least = 1},
    {.name = "VolumeSizeInGB", .kind = kWholeNumber, .least = 0, .fate = Fate::kIgnored, .reason = kVolume},
    {.name = "VolumeKmsKeyId", .kind = kText, .fate = Fate::kIgnored, .reason = kAccess},
    {.name = "AllocationStrategy",
     .kind = kText,
     .choices = {"Prioritized"},
     .fate = Fate::kIgnored,
     .reason = "the first of InstanceConfigs, which is preferred, says what a trial gets"},
    {.name = "InstanceConfigs", .kind = kObjects, .least = 1, .most = 6, .fields = &kInstanceConfigFields},
}};

const FieldTable kStoppingFields{{
    {.name = "MaxRuntimeInSeconds", .kind = kWholeNumber, .least = 1},
    {.name = "MaxWaitTimeInSeconds",
     .kind = kWholeNumber,
     .least = 1,
     .fate = Fate::kIgnored,
     .reason = "no trial waits for spot capacity"},
    {.name = "MaxPendingTimeInSeconds",
     .kind = kWholeNumber,
     .least = 7200,
     .fate = Fate::kIgnored,
     .reason = "no trial waits for capacity of AWS"},
}};

const FieldTable kRetryFields{{
    {.name = "MaximumRetryAttempts", .kind = kWholeNumber, .required = true, .least = 1, .most = 30},
}};

const FieldTable kDefinitionFields{{
    {.name = "DefinitionName", .kind = kText, .least = 1, .most = 64},
    {.name = "TuningObjective", .kind = kObject, .fields = &kObjectiveFields},
    {.name = "HyperParameterRanges", .kind = kObject, .fields = &kRangesFields},
    {.name = "StaticHyperParameters"},
    {.name = "AlgorithmSpecification", .kind = kObject, .required = true, .fields = &kAlgorithmFields},
    {.name = "RoleArn", .kind = kText, .required = true, .fate = Fate::kIgnored, .reason = kAccess},
    {.name = "InputDataConfig", .kind = kObjects, .least = 1, .most = 20, .fields = &kChannelFields},
    {.name = "VpcConfig", .fate = Fate::kIgnored, .reason = kAccess},
    {.name = "OutputDataConfig",
     .kind = kAny,
     .required = true,
     .fate = Fate::kIgnored,
     .reason = "what a trial makes lies in its folder of the store"},
    {.name = "ResourceConfig", .kind = kObject, .fields = &kResourcesFields},
    {.name = "HyperParameterTuningResourceConfig", .kind = kObject, .fields = &kTuningResourcesFields},
    {.name = "StoppingCondition", .kind = kObject, .required = true, .fields = &kStoppingFields},
    {.name = "EnableNetworkIsolation", .kind = kFlag},
    {.name = "EnableInterContainerTrafficEncryption",
     .kind = kFlag,
     .fate = Fate::kIgnored,
     .reason = "a trial has one machine"},
    {.name = "EnableManagedSpotTraining",
     .kind = kFlag,
     .fate = Fate::kIgnored,
     .reason = "this machine is not taken away; an interrupted trial goes on all the same"},
    {.name = "CheckpointConfig",
     .fate = Fate::kIgnored,
     .reason = "each trial has a folder for checkpoints, $TUNE_CHECKPOINT_DIR"},
    {.name = "RetryStrategy", .kind = kObject, .fields = &kRetryFields},
    {.name = "Environment"},
}};

const FieldTable kParentFields{{
    {.name = "HyperParameterTuningJobName", .kind = kText, .required = true, .least = 1, .most = 32},
}};

const FieldTable kWarmStartFields{{
    {.name = "ParentHyperParameterTuningJobs",
     .kind = kObjects,
     .required = true,
     .least = 1,
     .most = 5,
     .fields = &kParentFields},
    {.name = "WarmStartType",
     .kind = kText,
     .required = true,
     .choices = {"IdenticalDataAndAlgorithm", "TransferLearning"}},
}};

const FieldTable kAutotuneFields{{
    {.name = "Mode", .kind = kText, .required = true, .choices = {"Enabled"}},
}};

// Those of a request, and those that DescribeHyperParameterTuningJob adds to them.
const FieldTable kRequestFields{{
    {.name = "HyperParameterTuningJobName", .kind = kText, .required = true, .least = 1, .most = 32},
    {.name = "HyperParameterTuningJobConfig", .kind = kObject, .required = true, .fields = &kConfigFields},
    {.name = "TrainingJobDefinition", .kind = kObject, .fields = &kDefinitionFields},
    {.name = "TrainingJobDefinitions",
     .kind = kObjects,
     .least = 1,
     .most = 10,
     .fields = &kDefinitionFields},
    {.name = "WarmStartConfig", .kind = kObject, .fields = &kWarmStartFields},
    {.name = "Autotune", .kind = kObject, .fields = &kAutotuneFields},
    {.name = "Tags", .fate = Fate::kIgnored, .reason = "they label resources of AWS"},
    {.name = "HyperParameterTuningJobArn", .fate = Fate::kIgnored, .reason = kOfAnswer},
    {.name = "HyperParameterTuningJobStatus", .fate = Fate::kIgnored, .reason = kOfAnswer},
    {.name = "CreationTime", .fate = Fate::kIgnored, .reason = kOfAnswer},
    {.name = "HyperParameterTuningEndTime", .fate = Fate::kIgnored, .reason = kOfAnswer},
    {.name = "LastModifiedTime", .fate = Fate::kIgnored, .reason = kOfAnswer},
    {.name = "TrainingJobStatusCounters", .fate = Fate::kIgnored, .reason = kOfAnswer},
    {.name = "ObjectiveStatusCounters", .fate = Fate::kIgnored, .reason = kOfAnswer},
    {.name = "BestTrainingJob", .fate = Fate::kIgnored, .reason = kOfAnswer},
    {.name = "OverallBestTrainingJob", .fate = Fate::kIgnored, .reason = kOfAnswer},
    {.name = "FailureReason", .fate = Fate::kIgnored, .reason = kOfAnswer},
    {.name = "TuningJobCompletionDetails", .fate = Fate::kIgnored, .reason = kOfAnswer},
    {.name = "ConsumedResources", .fate = Fate::kIgnored, .reason = kOfAnswer},
    {.name = "ResponseMetadata", .fate = Fate::kIgnored, .reason = kOfAnswer},
}};

}  // namespace

const FieldTable& request_fields() { return kRequestFields; }

}  // namespace tune::amt

#include "tuner/spec/spec_keys.h"

#include <algorithm>

#include "tuner/spec/spec_text_rules.h"

namespace tune {
namespace {

using enum ValueKind;

constexpr double kLargestInteger =
    9007199254740991;  // 2^53 - 1: what every JSON reader keeps (RFC 8259, section 6)

const ObjectTable kObjective{{{.name = "metric",
                               .kind = kText,
                               .description = "Name of the metric that the search improves.",
                               .required = true,
                               .text = &kMetricName},
                              {.name = "goal",
                               .kind = kText,
                               .description = "Whether more or less of the metric is better.",
                               .required = true,
                               .choices = {"maximize", "minimize"}},
                              {.name = "reduce",
                               .kind = kText,
                               .description = "How a trial's values become its result: the last, the best by "
                                              "the goal, the smallest or the largest.",
                               .default_json = "\"best\"",
                               .choices = {"last", "best", "min", "max"}}}};

const ObjectTable kParameter{
    {{.name = "type",
      .kind = kText,
      .description = "Kind of the parameter's values.",
      .required = true,
      .choices = {"float", "int", "categorical"},
      .foreign = {{"uniform", "use \"float\""},
                  {"loguniform", "use \"float\", with \"scale\": \"log\""},
                  {"double", "use \"float\""},
                  {"real", "use \"float\""},
                  {"continuous", "use \"float\""},
                  {"discrete", "use \"int\", or \"categorical\" with the values"},
                  {"choice", "use \"categorical\""},
                  {"enum", "use \"categorical\""},
                  {"bool", "use \"categorical\" with \"values\": [true, false]"},
                  {"boolean", "use \"categorical\" with \"values\": [true, false]"}}},
     {.name = "min", .kind = kNumber, .description = "Smallest value.", .applies_to = {"float", "int"}},
     {.name = "max", .kind = kNumber, .description = "Largest value.", .applies_to = {"float", "int"}},
     {.name = "scale",
      .kind = kText,
      .description = "Where values are dense: linear; log (min > 0) near the min; reverse_log (0 <= values < "
                     "1) near 1; auto is log when min > 0 and max / min >= 100, else linear.",
      .default_json = "\"linear\"",
      .choices = {"linear", "log", "reverse_log", "auto"},
      .foreign = {{"uniform", "use \"linear\""}, {"ReverseLogarithmic", "use \"reverse_log\""}},
      .applies_to = {"float", "int"}},
     {.name = "step",
      .kind = kNumber,
      .description = "Values are min, min + step, ... up to max, on any scale.",
      .applies_to = {"float", "int"}},
     {.name = "levels",
      .kind = kInteger,
      .description = "For a grid: how many points of the range, evenly on its scale, ends included.",
      .minimum = 2,
      .maximum = 1e6,
      .applies_to = {"float", "int"}},
     {.name = "values",
      .kind = kArray,
      .description =
          "The values to choose from: any JSON. A null leaves out the elements of the command that "
          "name the parameter.",
      .least_items = 1,
      .applies_to = {"categorical"}},
     {.name = "when",
      .kind = kMap,
      .description = "Active only while every parameter named here has the value given; an array means any "
                     "of its values.",
      .least_items = 1}}};

// A task of tune-train describes its keys itself, and is asked before a study runs. Those that most tasks
// share stand here too, so that `tune schema`, which asks nobody, can tell editors of them. All others are
// the task's to check.
const ObjectTable kTrainer{
    {{.name = "task",
      .kind = kText,
      .description = "What is trained, such as detection or image_classification.",
      .required = true,
      .text = &kNonEmpty},
     {.name = "model", .kind = kText, .description = "Name of the model to fine-tune.", .text = &kNonEmpty},
     {.name = "recipe",
      .kind = kText,
      .description = "Set of hyperparameters and defaults.",
      .text = &kNonEmpty},
     {.name = "weights",
      .kind = kText,
      .description = "File with the weights to start from.",
      .text = &kNonEmpty},
     {.name = "data",
      .kind = kText,
      .description = "Folder or file with the training data.",
      .text = &kNonEmpty},
     {.name = "images",
      .kind = kText,
      .description =
          "Folder of the images, where they do not lie beside the annotations or lists of the data.",
      .text = &kNonEmpty},
     {.name = "validation",
      .kind = kText,
      .description =
          "Folder or file with the validation data; by default the data's own such part, if it has "
          "one.",
      .text = &kNonEmpty},
     {.name = "test",
      .kind = kText,
      .description = "Folder or file with the test data; by default the data's own such part, if it has one.",
      .text = &kNonEmpty},
     {.name = "split", .kind = kMap, .description = "How the data is divided: fractions, seed, grouping."}},
    true};

const ObjectTable kFromEnvironment{
    {{.name = "from_env",
      .kind = kText,
      .description = "Variable of tune's own environment whose value is passed on, and never stored.",
      .required = true,
      .text = &kVariableName}}};

const ObjectTable kMetric{{{.name = "name",
                            .kind = kText,
                            .description = "Name of the metric.",
                            .required = true,
                            .text = &kMetricName},
                           {.name = "regex",
                            .kind = kText,
                            .description = "RE2 regular expression for a line of the log; its first group is "
                                           "the value: all of a number and nothing else. Without it, "
                                           "TUNE_METRIC lines count.",
                            .text = &kNonEmpty},
                           {.name = "step",
                            .kind = kText,
                            .description = "RE2 regular expression for any line; its first group is the "
                                           "step, a whole number, which holds until the next. Without it, "
                                           "lines are counted.",
                            .text = &kNonEmpty}}};

const ObjectTable kStrategy{
    {{.name = "name",
      .kind = kText,
      .description = "How points are chosen.",
      .default_json = "\"auto\"",
      .choices = {"auto", "random", "sobol", "grid", "bayesian", "tpe", "hyperband"}},
     {.name = "seed",
      .kind = kInteger,
      .description = "Seed of every random number of the search. Drawn once when absent.",
      .minimum = 0,
      .maximum = kLargestInteger},
     {.name = "min_resource",
      .kind = kInteger,
      .description = "Of hyperband: the first step at which a trial may be stopped.",
      .minimum = 1},
     {.name = "max_resource",
      .kind = kInteger,
      .description = "Of hyperband: the last step of a full training, as early_stopping.max_step.",
      .minimum = 1},
     {.name = "try_first",
      .kind = kArray,
      .description = "Points to try before all others; parameters left out are chosen by the strategy.",
      .item = kMap}}};

const ObjectTable kWarmStart{
    {{.name = "study",
      .kind = kText,
      .description = "Name of the earlier study, in the same store.",
      .required = true,
      .text = &kStudyName},
     {.name = "kind",
      .kind = kText,
      .description =
          "identical: the same training on the same data, so its results count as this study's own; "
          "transfer: a related search, whose results guide this one until it has its own.",
      .required = true,
      .choices = {"identical", "transfer"},
      .foreign = {{"IDENTICAL_DATA_AND_ALGORITHM", "use \"identical\""},
                  {"TRANSFER_LEARNING", "use \"transfer\""}}},
     {.name = "assume",
      .kind = kMap,
      .description = "Values of parameters that the earlier study neither searched nor fixed, as its trials "
                     "had them: {\"dropout\": 0}."}}};

const ObjectTable kEarlyStopping{
    {{.name = "rule",
      .kind = kText,
      .description =
          "When a trial that does badly is stopped. median: what it has reached so far is worse than the "
          "median of what earlier trials had reached by that step; "
          "median_running_average: its newest value is worse than the median of their running averages; "
          "asha: at rungs, fractions of a training, it is not among the best; hyperband: "
          "asha with brackets; prediction: it will hardly end better than the best so far; auto: asha "
          "where early values tell the end.",
      .default_json = "\"none\"",
      .choices = {"none", "auto", "median", "median_running_average", "asha", "hyperband", "prediction"},
      .foreign = {{"successive_halving", "use \"asha\""},
                  {"sha", "use \"asha\""},
                  {"medianstop", "use \"median\""}}},
     {.name = "min_trials",
      .kind = kInteger,
      .description = "Trials that must have reached a step, or a rung, before one is judged there.",
      .default_json = "3",
      .minimum = 1},
     {.name = "start_step",
      .kind = kInteger,
      .description =
          "First step that is judged. When absent, 1; of rules that know the length of a training, a "
          "tenth of it.",
      .minimum = 1},
     {.name = "max_step",
      .kind = kAny,
      .description =
          "The last step of a full training: a number, or the name of the fixed value or parameter "
          "that holds it. When absent, epochs and the like, else what completed trials show."},
     {.name = "reduction_factor",
      .kind = kInteger,
      .description =
          "Of asha, hyperband and auto: one trial of so many goes beyond a rung, and rungs are so many "
          "times apart. When absent, 3; where asha and auto pause, 2.",
      .minimum = 2,
      .maximum = 100},
     {.name = "form",
      .kind = kText,
      .description =
          "Of asha, hyperband and auto: stop ends the others; pause lets them wait with their checkpoints "
          "until they are among the best, and needs a trainer that resumes. When absent, "
          "stop; of auto with a built-in trainer, pause.",
      .choices = {"stop", "pause"},
      .foreign = {{"stopping", "use \"stop\""},
                  {"promotion", "use \"pause\""},
                  {"pausing", "use \"pause\""}}},
     {.name = "brackets",
      .kind = kInteger,
      .description = "Of hyperband: how many brackets. When absent, one more than there are rungs.",
      .minimum = 1,
      .maximum = 64},
     {.name = "risk",
      .kind = kNumber,
      .description = "Of prediction: the part of the trials that it stops which may have become the best.",
      .default_json = "0.05",
      .minimum = 0,
      .maximum = 1}}};

const ObjectTable kLimits{
    {{.name = "trials",
      .kind = kInteger,
      .description = "How many trials, failed ones included, retries not.",
      .minimum = 1},
     {.name = "parallel",
      .kind = kInteger,
      .description = "How many trials at once, at most.",
      .minimum = 1,
      .maximum = kMostParallel},
     {.name = "time",
      .kind = kDuration,
      .description = "How long the study may run, summed over resumes.",
      .text = &kDurationText},
     {.name = "trial_time",
      .kind = kDuration,
      .description = "How long one attempt of a trial may run.",
      .text = &kDurationText},
     {.name = "on_trial_time",
      .kind = kText,
      .description = "What becomes of a trial whose trial_time runs out: complete counts the value that it "
                     "has reached, marked as cut (without one it fails); fail fails it.",
      .default_json = "\"complete\"",
      .choices = {"complete", "fail"}},
     {.name = "no_output",
      .kind = kDuration,
      .description = "A trial that prints nothing for so long is taken to hang, and fails.",
      .text = &kDurationText},
     {.name = "no_metric_time",
      .kind = kDuration,
      .description = "A trial whose output gives no metric for so long is taken to hang, and fails.",
      .text = &kDurationText},
     {.name = "gpu_hours",
      .kind = kNumber,
      .description = "Device hours that the trials may take, summed over resumes. A trial without GPUs "
                     "counts as one device.",
      .minimum = 0},
     {.name = "cost_usd",
      .kind = kNumber,
      .description = "US dollars that the trials may cost, at cost.usd_per_hour.",
      .minimum = 0},
     {.name = "until", .kind = kText, .later = true},
     {.name = "target",
      .kind = kNumber,
      .description =
          "The study ends when a completed trial is at least as good as this value of the objective."},
     {.name = "no_improvement",
      .kind = kInteger,
      .description =
          "The study ends when so many trials in a row, failed ones apart, have brought no new best.",
      .minimum = 1},
     {.name = "convergence",
      .kind = kNumber,
      .description =
          "The study ends when the model expects no trial to be better than the best by this part of its "
          "value, 0.01 for 1 %, five times in a row; of the strategies auto and bayesian.",
      .minimum = 0,
      .maximum = 1}}};

const ObjectTable kResources{
    {{.name = "gpus_per_trial",
      .kind = kInteger,
      .description = "GPUs of one trial. When absent, 1 where there are GPUs, else 0.",
      .minimum = 0},
     {.name = "processes_per_trial",
      .kind = kInteger,
      .description =
          "Processes that train one trial together, each on its part of every batch. When absent, "
          "one for each GPU of the trial, which is their number where it has GPUs; without GPUs 1.",
      .minimum = 1,
      .maximum = 64},
     {.name = "trials_per_gpu",
      .kind = kInteger,
      .description = "How many trials share one GPU: its time, while its memory is not divided. auto: as "
                     "many as fit by what earlier trials were seen to take of its memory.",
      .default_json = "1",
      .minimum = 1,
      .word = "auto"},
     {.name = "visible_devices",
      .kind = kText,
      .description = "How CUDA_VISIBLE_DEVICES names a trial's GPUs: by uuid, or by index for programs "
                     "that read numbers.",
      .default_json = "\"uuid\"",
      .choices = {"uuid", "index"}}}};

const ObjectTable kRunner{
    {{.name = "kind",
      .kind = kText,
      .description = "local: as processes of this machine; slurm: as jobs of the Slurm cluster that sbatch "
                     "submits to.",
      .default_json = "\"local\"",
      .choices = {"local", "slurm"}},
     {.name = "partition",
      .kind = kText,
      .description = "Of slurm: the partition of the jobs.",
      .text = &kNonEmpty},
     {.name = "account",
      .kind = kText,
      .description = "Of slurm: the account that the jobs are charged to.",
      .text = &kNonEmpty},
     {.name = "time",
      .kind = kDuration,
      .description = "Of slurm: the time limit of one job. A trial that needs longer goes on in another from "
                     "what it has saved.",
      .text = &kDurationText},
     {.name = "gres",
      .kind = kText,
      .description = "Of slurm: generic resources of each node of a trial, in place of gpus_per_trial GPUs: "
                     "gpu:a100:2.",
      .text = &kNonEmpty},
     {.name = "cpus",
      .kind = kInteger,
      .description = "Of slurm: processor cores of a trial, on each of its nodes.",
      .default_json = "1",
      .minimum = 1,
      .maximum = 1024},
     {.name = "nodes_per_trial",
      .kind = kInteger,
      .description = "Of slurm: nodes of one trial, each with gpus_per_trial GPUs; its command runs once on "
                     "each of them.",
      .default_json = "1",
      .minimum = 1,
      .maximum = 1024},
     {.name = "options",
      .kind = kArray,
      .description =
          "Of slurm: further options of sbatch, each with its value in one text: --constraint=a100.",
      .least_items = 1,
      .text = &kNonEmpty,
      .item = kText},
     {.name = "work",
      .kind = kText,
      .description = "Of slurm: a folder that the nodes share with this machine, for the trials' files. When "
                     "absent, the store, which the nodes must see then.",
      .text = &kNonEmpty}}};

const ObjectTable kRetryStep{
    {{.name = "set",
      .kind = kMap,
      .description =
          "Parameters and fixed values, and what each becomes: half or double of a whole number, or a value.",
      .required = true,
      .least_items = 1}}};

const ObjectTable kInfrastructure{
    {{.name = "tries",
      .kind = kInteger,
      .description = "How many attempts of a trial may end by a fault of the machine before the trial fails.",
      .default_json = "3",
      .minimum = 1,
      .maximum = 100},
     {.name = "backoff",
      .kind = kDuration,
      .description = "How long a trial waits after the first of them; twice as long after each further one.",
      .default_json = "\"1s\"",
      .text = &kDurationText}}};

const ObjectTable kRetry{
    {{.name = "out_of_memory",
      .kind = kArray,
      .description =
          "The ladder of a trial that runs out of memory: it runs again with the first step, then with the "
          "second as well, and fails when there is none left.",
      .object = &kRetryStep,
      .item = kObject},
     {.name = "infrastructure",
      .kind = kObject,
      .description = "What becomes of a trial that the machine has ended.",
      .object = &kInfrastructure}}};

const ObjectTable kCost{{{.name = "usd_per_hour",
                          .kind = kNumber,
                          .description = "Price of one device for an hour, in US dollars.",
                          .required = true,
                          .minimum = 0}}};

const ObjectTable kBound{{{.name = "min",
                           .kind = kNumber,
                           .description = "Of an objective that is maximized: the least that will do."},
                          {.name = "max",
                           .kind = kNumber,
                           .description = "Of an objective that is minimized: the most that will do."}}};

const ObjectTable kPrefer{
    {{.name = "weight",
      .kind = kNumber,
      .description = "What the first objective weighs, the second having the rest, on values scaled to the "
                     "front's range: 1 its best value of an objective, 0 its worst.",
      .minimum = 0,
      .maximum = 1},
     {.name = "best",
      .kind = kText,
      .description = "In place of a weight: the metric of the objective that decides.",
      .text = &kMetricName},
     {.name = "with",
      .kind = kMap,
      .description = "Beside best: what will do of an objective, by metric: {\"latency_ms\": {\"max\": 20}}.",
      .object = &kBound,
      .item = kObject}}};

const ObjectTable kRequiredBound{{{.name = "min", .kind = kNumber, .description = "The least that will do."},
                                  {.name = "max", .kind = kNumber, .description = "The most that will do."}}};

const ObjectTable kNotWorse{
    {{.name = "metric",
      .kind = kText,
      .description = "Which number of a score is compared.",
      .required = true,
      .text = &kMetricName},
     {.name = "margin",
      .kind = kNumber,
      .description = "By less than this the version may be worse, beyond chance; with 0 it must be better.",
      .required = true,
      .minimum = 0},
     {.name = "goal",
      .kind = kText,
      .description = "Which way the number is better.",
      .default_json = "\"maximize\"",
      .choices = {"maximize", "minimize"}},
     {.name = "than",
      .kind = kText,
      .description = "The alias of the version that it is held against; by default the one that is to move.",
      .text = &kAliasName},
     {.name = "level",
      .kind = kNumber,
      .description = "How sure the interval of the difference is.",
      .default_json = "0.95",
      .minimum = 0.5,
      .maximum = 0.999},
     {.name = "resamples",
      .kind = kInteger,
      .description = "How often the held-out set is drawn anew.",
      .default_json = "1000",
      .minimum = 100,
      .maximum = 100000}}};

const ObjectTable kRequire{
    {{.name = "approval",
      .kind = kText,
      .description = "A person has approved the version.",
      .choices = {"approved"}},
     {.name = "test",
      .kind = kText,
      .description = "Held-out data that tune-train evaluates the version on.",
      .text = &kNonEmpty},
     {.name = "options",
      .kind = kArray,
      .description = "Further options of tune-train for it: [\"--part\", \"test\"].",
      .least_items = 1,
      .text = &kNonEmpty,
      .item = kText},
     {.name = "scores",
      .kind = kText,
      .description = "In place of test: a file that the trainer leaves in its output, an object of numbers.",
      .text = &kNonEmpty},
     {.name = "metrics",
      .kind = kMap,
      .description = "What will do of each number: {\"accuracy\": {\"min\": 0.9}}.",
      .least_items = 1,
      .member_name = &kMetricName,
      .object = &kRequiredBound,
      .item = kObject},
     {.name = "not_worse",
      .kind = kObject,
      .description = "The version is not worse than another one by a margin, beyond chance.",
      .object = &kNotWorse},
     {.name = "smoke",
      .kind = kArray,
      .description = "Files or folders that tune-train must predict on without failing.",
      .least_items = 1,
      .text = &kNonEmpty,
      .item = kText}}};

const ObjectTable kPromote{
    {{.name = "model",
      .kind = kText,
      .description = "Name in the model registry under which the best model is published.",
      .required = true,
      .text = &kModelName},
     {.name = "prefer",
      .kind = kObject,
      .description =
          "Of two objectives: which trial of the Pareto front is promoted. Either weight, or best.",
      .object = &kPrefer},
     {.name = "require",
      .kind = kObject,
      .description = "What the version must show, beside a better value, before it is promoted.",
      .object = &kRequire}}};

const ObjectTable kReplicates{
    {{.name = "top",
      .kind = kInteger,
      .description = "How many of the best trials run again.",
      .required = true,
      .minimum = 1,
      .maximum = 1000},
     {.name = "seeds",
      .kind = kInteger,
      .description = "Fresh seeds of each, at most: who is beaten beyond chance gets no more.",
      .required = true,
      .minimum = 1,
      .maximum = 1000}}};

const ObjectTable kNotify{
    {{.name = "on",
      .kind = kArray,
      .description = "What it tells of: the end of the study with a result (finished) or without one, and a "
                     "pause that needs somebody (failed), a trial that is better than all before it (best), "
                     "80 % of a limit of time, device hours or cost, and all of it (budget).",
      .required = true,
      .choices = {"finished", "failed", "best", "budget"},
      .least_items = 1,
      .item = kText},
     {.name = "command",
      .kind = kArray,
      .description = "The program and its arguments; no shell is involved. $TUNE_EVENT_FILE names a file of "
                     "JSON about what happened, $TUNE_MESSAGE is a sentence.",
      .required = true,
      .least_items = 1,
      .item = kText},
     {.name = "environment",
      .kind = kMap,
      .description = "Environment variables of the command.",
      .member_name = &kVariableName,
      .object = &kFromEnvironment,
      .item = kEnvironment},
     {.name = "time_limit",
      .kind = kDuration,
      .description = "How long the command may take before it is killed; 10m at most.",
      .default_json = "\"30s\"",
      .text = &kDurationText}}};

const ObjectTable kSpec{
    {{.name = "$schema", .kind = kText, .description = "Where editors find this schema."},
     {.name = "study",
      .kind = kText,
      .description = "Name of the study, and of its folder in the store.",
      .required = true,
      .text = &kStudyName},
     {.name = "objective",
      .kind = kObject,
      .description = "What the search improves. Either this or objectives.",
      .object = &kObjective},
     {.name = "objectives",
      .kind = kArray,
      .description =
          "Two objectives in place of one: the search looks for the Pareto front, the trials that no other "
          "one beats in both. The second may be device_seconds: for how long a trial held its devices.",
      .least_items = 2,
      .most_items = 2,
      .object = &kObjective,
      .item = kObject},
     {.name = "parameters",
      .kind = kMap,
      .description =
          "What is searched; empty with the strategy random, which then repeats the fixed values, each trial "
          "with a seed of its own. Names may be dotted (lora.r) and nest in trial.json.",
      .required = true,
      .most_items = kMostParameters,
      .member_name = &kParameterName,
      .object = &kParameter,
      .item = kObject},
     {.name = "fixed",
      .kind = kMap,
      .description = "Hyperparameters that every trial gets as they are.",
      .default_json = "{}",
      .member_name = &kParameterName},
     {.name = "trainer",
      .kind = kObject,
      .description = "A built-in trainer. Either this or command.",
      .object = &kTrainer},
     {.name = "command",
      .kind = kArray,
      .description =
          "Any other program and its arguments; {{name}} within an element stands for a "
          "parameter, a fixed value, trial_file, output_dir, checkpoint_dir or seed. No shell is involved.",
      .least_items = 1,
      .item = kText},
     {.name = "environment",
      .kind = kMap,
      .description = "Environment variables of every trial.",
      .member_name = &kVariableName,
      .object = &kFromEnvironment,
      .item = kEnvironment},
     {.name = "metrics",
      .kind = kArray,
      .description = "How metrics are read from the log.",
      .object = &kMetric,
      .item = kObject},
     {.name = "strategy", .kind = kObject, .description = "How points are chosen.", .object = &kStrategy},
     {.name = "warm_start",
      .kind = kArray,
      .description = "Earlier studies of the same store to learn from.",
      .object = &kWarmStart,
      .item = kObject},
     {.name = "early_stopping",
      .kind = kObject,
      .description = "When trials that do badly are stopped.",
      .object = &kEarlyStopping},
     {.name = "limits",
      .kind = kObject,
      .description = "When the search ends: one of trials, time, gpu_hours and cost_usd at least.",
      .required = true,
      .object = &kLimits},
     {.name = "resources",
      .kind = kObject,
      .description = "What a trial gets of the machine.",
      .object = &kResources},
     {.name = "runner", .kind = kObject, .description = "Where the trials run.", .object = &kRunner},
     {.name = "retry",
      .kind = kObject,
      .description =
          "What is tried again when an attempt of a trial fails for no fault of its hyperparameters, or "
          "for want of memory.",
      .object = &kRetry},
     {.name = "cost", .kind = kObject, .description = "What the machine costs.", .object = &kCost},
     {.name = "promote", .kind = kObject, .description = "Where the best model goes.", .object = &kPromote},
     {.name = "replicates",
      .kind = kObject,
      .description = "The best trials again on other seeds, when the search has ended: the best of them by "
                     "the bound of its mean is the best of the study.",
      .object = &kReplicates},
     {.name = "notify",
      .kind = kArray,
      .description = "Commands that tell people or programs what has happened, each beside the study, which "
                     "never waits for it.",
      .object = &kNotify,
      .item = kObject}}};

}  // namespace

const ObjectTable& spec_table() { return kSpec; }
const ObjectTable& requirement_table() { return kRequire; }

const KeyRule* find_key(const ObjectTable& table, std::string_view name) {
  const auto found = std::find_if(table.keys.begin(), table.keys.end(),
                                  [name](const KeyRule& key) { return key.name == name; });
  return found == table.keys.end() ? nullptr : &*found;
}

double largest_integer(const KeyRule& key) { return key.maximum.value_or(2147483647); }

std::vector<std::string> key_names(const ObjectTable& table) {
  std::vector<std::string> names;
  for (const KeyRule& key : table.keys)
    if (!key.later) names.emplace_back(key.name);
  return names;
}

std::vector<std::string> to_strings(const std::vector<std::string_view>& names) {
  return {names.begin(), names.end()};
}

}  // namespace tune

#pragma once
// A comparison file: several approaches, each a fixed run on several seeds or a search, that are scored on
// the same test images or tested by one program. Every piece of training is an ordinary study, whose spec is
// made here.
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/spec/spec.h"

namespace tune::compare {

// The studies of an approach. Without a search there are only the defaults.
enum class StudyRole {
  kDefaults,     // the fixed hyperparameters, once a seed
  kSearch,       // what is tuned
  kTuned,        // the search's winner, trained anew on fresh seeds
  kRandom,       // the same search by random points: a control
  kRandomTuned,  // its winner, trained anew
};
const char* to_string(StudyRole role);  // "defaults", "search", "tuned", "random", "random-tuned"
// All of them. Which an approach has: study_roles().
inline constexpr StudyRole kStudyRoles[] = {StudyRole::kDefaults, StudyRole::kSearch, StudyRole::kTuned,
                                            StudyRole::kRandom, StudyRole::kRandomTuned};
bool is_search(StudyRole role);        // kSearch or its control
bool is_trained_anew(StudyRole role);  // the winner of either

// The table of the report that an approach stands in.
enum class ApproachTable {
  kPublished,  // a recipe as somebody published it, as far as that can be had
  kImproved,
};
const char* to_string(ApproachTable table);  // "published", "improved"

struct Approach {
  std::string name;
  std::string note;
  ApproachTable table = ApproachTable::kImproved;
  std::vector<std::string> deviations;  // where it departs from what was published
  bool has_search = false;
  bool is_program = false;  // a command of its own trains it, not tune-train
};

// Where the test images come from.
struct TestSet {
  std::string data;           // a data set of its own, or the one that is split
  std::optional<Json> split;  // then the part "test" of it
  bool leaks = false;         // it was cut image by image from the training data
  bool validation_leaks = false;
};

// A test that gives one number a model: a program's, or one that the trials print themselves.
struct OwnTest {
  std::string metric;
  Goal goal = Goal::kMaximize;
  std::vector<std::string> command;  // empty where the trials print the metric
  std::map<std::string, EnvironmentValue> environment;
  std::vector<MetricDefinition> metrics;
};

// What tune-train has for the task of a comparison. Until it is asked (with_task), and where an old record
// does not say, that is what it has for detection.
struct ComparedTask {
  std::string name = "detection";
  std::string unit = "images";  // of its examples
  std::string number = "AP";    // its primary one
  Goal goal = Goal::kMaximize;
  std::string files = "detections";  // the option of its `score` that takes what it predicted
  std::string second = "AP50";       // another number of a score; "" for none
  std::string of_class = "AP";       // the number of each class; "" for none
  std::optional<double> range = 1;   // from the least number to the largest; nullopt: not known
  bool has_split = true;             // as a key of its trainer
  bool has_audit = true;             // which finds leaks
  bool scores_models = true;         // it predicts, and scores what was predicted
};

struct Comparison {
  std::string name;
  std::vector<Approach> approaches;
  int seeds = 3, resamples = 1000;
  std::uint64_t seed = 0;
  bool best_of_seeds = true, random_search = true;  // controls
  std::optional<double> usd_per_hour;
  std::string price_date;
  Resources resources;
  std::optional<int> parallel;
  Limits budget;      // gpu_hours and cost_usd alone: of all its studies, probing and predicting together
  ComparedTask task;  // of tune-train, where that trains any
  TestSet test;       // of no meaning beside a test of its own
  std::optional<OwnTest> own_test;  // in place of test images
  std::vector<Notification> notify;

  std::filesystem::path folder;  // where relative paths start
  std::string file, text;
  OrderedJson document;
};

// The schema of a comparison file, as spec_schema() is a spec's.
OrderedJson comparison_schema();
// The schema of any file that tune reads: of a comparison where the file names one, else of a spec.
OrderedJson file_schema();

// Reads and checks a comparison, and the specs that come of it. Throws SpecError with every problem found.
Comparison read_comparison(const std::filesystem::path& file);
Comparison parse_comparison(const std::string& text, const std::string& name,
                            const std::filesystem::path& folder);

std::string study_name(const Comparison& comparison, std::size_t approach, StudyRole role);
// The studies of an approach in the order in which they run, as far as it has them.
std::vector<StudyRole> study_roles(const Comparison& comparison, std::size_t approach);
// The spec of one study: `trials` in all; `winner` are the parameters of kTuned and kRandomTuned. Trial n of
// two studies with the same role has the same seed.
OrderedJson study_spec_document(const Comparison& comparison, std::size_t approach, StudyRole role,
                                std::optional<int> trials = {}, const ParameterSet& winner = {});
// The same, read and checked; messages name the comparison's file and the study.
Spec study_spec(const Comparison& comparison, const OrderedJson& document);
// The trials that the search's limits allow; nullopt where only time ends it.
std::optional<int> search_trials(const Comparison& comparison, std::size_t approach);
Objective approach_objective(const Comparison& comparison, std::size_t approach);
// Whether tune-train trains any of the approaches.
bool needs_builtin_trainer(const Comparison& comparison);

// The same comparison with the task as `tune-train describe --json` has it.
Comparison with_task(Comparison comparison, const Json& trainer_description);
// Among a comparison's facts: what its reports need of the task.
Json task_to_json(const ComparedTask& task);
ComparedTask task_from_json(const Json& json);

// Where in the comparison's file the value at `pointer` of a study's spec comes from.
std::string comparison_pointer(const OrderedJson& document, std::size_t approach, const std::string& pointer);

// What two approaches do not have in common in the trainer's keys and the fixed values: "weights", "model".
std::vector<std::string> approach_difference(const Comparison& comparison, std::size_t a, std::size_t b);
// The data sets that the approach trains on and chooses by, as its file names them.
std::vector<std::string> training_data(const Comparison& comparison, std::size_t approach);
// The approach's initial weights as its file names them; "" for none.
std::string initial_weights(const Comparison& comparison, std::size_t approach);

}  // namespace tune::compare

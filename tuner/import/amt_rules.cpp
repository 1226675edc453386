// SageMaker's rules between fields, each with the words of its own documents.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "tuner/core/characters.h"
#include "tuner/import/amt_fields.h"
#include "tuner/import/amt_request.h"

namespace tune::amt {
namespace {

constexpr std::size_t kMostRanges = 30, kMostParameters = 100;
constexpr int kMostJobs = 750, kMostRandomJobs = 10000;

// Where Hyperband looks for the length of a training.
constexpr std::array kLengthNames{"epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs"};

// ^[a-zA-Z0-9](-*[a-zA-Z0-9])*
bool is_job_name(std::string_view name) {
  return !name.empty() && is_letter_or_digit(name.front()) && is_letter_or_digit(name.back()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return c == '-' || is_letter_or_digit(c); });
}

// Checks one request. Lives for one call of check_rules.
class RuleChecker {
 public:
  RuleChecker(const Request& request, SpecProblems& problems) : request_(request), problems_(problems) {}

  void check() {
    check_name("/HyperParameterTuningJobName");
    check_definitions();
    check_counts();
    check_strategy();
    check_one_algorithm();
    for (const Definition& definition : request_.definitions) check_definition(definition);
  }

 private:
  void check_name(const std::string& pointer) {
    const auto name = value_at<std::string>(problems_, pointer);
    if (name && !is_job_name(*name))
      problems_.add(pointer, in_quotes(*name) + " is not valid here",
                    "letters, digits and \"-\", with a letter or digit at both ends");
  }

  void check_definitions() {
    const bool one = problems_.contains("/TrainingJobDefinition"),
               list = problems_.contains("/TrainingJobDefinitions");
    if (one && list)
      problems_.add_at_key("/TrainingJobDefinitions",
                           "TrainingJobDefinition and TrainingJobDefinitions exclude each other",
                           "put all of them into the list");
    if (!one && !list && problems_.contains(kConfig))
      problems_.add("", "there is neither TrainingJobDefinition nor TrainingJobDefinitions",
                    "add the definition of the training jobs");
    std::map<std::string, std::string> names;
    for (const Definition& definition : request_.definitions) {
      const std::string place = definition.pointer + "/DefinitionName";
      check_name(place);
      if (!request_.lists_definitions) continue;
      if (definition.name.empty() && !problems_.contains(place))
        problems_.add(place, "\"DefinitionName\" is missing",
                      "SageMaker requires it in a list of definitions");
      else if (!definition.name.empty() && !names.emplace(definition.name, place).second)
        problems_.add(place, "the definition " + in_quotes(definition.name) + " is there twice",
                      "rename one of them");
    }
  }

  // What only a job with a single algorithm has.
  void check_one_algorithm() {
    if (request_.definitions.size() < 2) return;
    if (problems_.contains(kWarmStart))
      problems_.add_at_key(kWarmStart, "a job with several definitions has no warm start", "leave it out");
    if (stops_early())
      problems_.add(kStopType, "a job with several definitions has no early stopping", "write \"Off\"");
  }

  bool stops_early() const {
    return api_spelling(value_at<std::string>(problems_, kStopType).value_or("Off"), {"Off", "Auto"}) ==
           "Auto";
  }

  void check_counts() {
    const std::string place = kLimits + "/MaxNumberOfTrainingJobs";
    const auto jobs = value_at<double>(problems_, place);
    const int most = request_.strategy == "Random" ? kMostRandomJobs : kMostJobs;
    if (jobs && *jobs > most)
      problems_.add(place, shortest(*jobs) + " is too large",
                    "SageMaker's most is " + std::to_string(kMostJobs) + ", and with the strategy Random " +
                        std::to_string(kMostRandomJobs));
    if (!problems_.contains(place) && !problems_.contains(kLimits + "/MaxRuntimeInSeconds") &&
        request_.strategy != "Grid" && problems_.find(kLimits) != nullptr)
      problems_.add(
          kLimits, "nothing here ends the search",
          std::string(request_.is_autotuned ? "Autotune chooses the count itself, which no one does here: "
                                            : "") +
              "add \"MaxNumberOfTrainingJobs\" or \"MaxRuntimeInSeconds\"");
    std::set<std::string> parents;
    const OrderedJson* list = problems_.find(kWarmStart + "/ParentHyperParameterTuningJobs");
    for (std::size_t i = 0; list != nullptr && list->is_array() && i < list->size(); ++i) {
      const std::string parent =
          element_pointer(kWarmStart + "/ParentHyperParameterTuningJobs", i) + "/HyperParameterTuningJobName";
      const auto name = value_at<std::string>(problems_, parent);
      if (name && !parents.insert(*name).second)
        problems_.add(parent, "the job " + in_quotes(*name) + " is there twice", "name it once");
    }
  }

  void check_strategy() {
    const bool is_hyperband = request_.strategy == "Hyperband";
    if (problems_.contains(kHyperband) && !is_hyperband)
      problems_.add_at_key(kHyperband, "HyperbandStrategyConfig goes with the strategy Hyperband alone",
                           "leave it out, or write \"Strategy\": \"Hyperband\"");
    if (!is_hyperband) return;
    if (stops_early())
      problems_.add(kStopType, "the strategy Hyperband stops jobs by a rule of its own", "write \"Off\"");
    const auto least = value_at<double>(problems_, kHyperband + "/MinResource"),
               most = value_at<double>(problems_, kHyperband + "/MaxResource");
    if (least && most && *least > *most)
      problems_.add(kHyperband + "/MinResource", "MinResource is greater than MaxResource", "swap them");
  }

  void check_definition(const Definition& definition) {
    if (!definition.objective && !problems_.contains(definition.pointer + "/TuningObjective") &&
        !problems_.contains(kConfig + "/HyperParameterTuningJobObjective") && problems_.contains(kConfig))
      problems_.add(
          request_.lists_definitions ? definition.pointer : kConfig, "there is no objective",
          std::string("add \"") +
              (request_.lists_definitions ? "TuningObjective" : "HyperParameterTuningJobObjective") +
              "\": {\"Type\": \"Maximize\", \"MetricName\": \"validation:accuracy\"}");
    check_names(definition);
    if (request_.strategy == "Grid") check_grid(definition);
    if (request_.strategy == "Hyperband") check_length(definition);
  }

  void check_names(const Definition& definition) {
    std::map<std::string, std::string> names;
    const auto check = [&](const std::string& name, const std::string& pointer) {
      if (!name.empty() && !names.emplace(name, pointer).second)
        problems_.add(pointer, "the hyperparameter " + in_quotes(name) + " is there twice",
                      "it is also at " + names.at(name) + ": a name is searched or fixed, once");
    };
    for (const Range& range : definition.ranges) check(range.name, range.pointer + "/Name");
    for (const NamedText& hint : definition.hints) check(hint.name, hint.pointer + "/Name");
    std::size_t fixed = 1;  // the objective's name, which SageMaker adds
    for (const NamedText& each : definition.fixed) {
      check(each.name, each.pointer);
      fixed += each.name == kObjectiveParameter ? 0 : 1;
    }
    const std::size_t searched = definition.ranges.size() + definition.hints.size();
    if (searched > kMostRanges)
      problems_.add(definition.ranges[0].pointer,
                    "there are " + std::to_string(searched) + " hyperparameters to search",
                    "SageMaker searches at most " + std::to_string(kMostRanges));
    if (searched + fixed > kMostParameters)
      problems_.add(definition.pointer + "/StaticHyperParameters",
                    "there are " + std::to_string(searched + fixed) + " hyperparameters, with " +
                        kObjectiveParameter + ", which SageMaker adds",
                    "SageMaker takes at most " + std::to_string(kMostParameters) +
                        ", searched and static ones together");
    const std::string& ranges = definition.ranges_pointer;
    const bool is_read = !problems_.contains(ranges) || problems_.is_sound(ranges);
    if (searched == 0 && is_read && problems_.contains(kConfig))
      problems_.add(definition.pointer, "there is no hyperparameter to search", "add a range");
  }

  void check_grid(const Definition& definition) {
    for (const Range& range : definition.ranges)
      if (range.type != ParameterType::kCategorical)
        problems_.add(range.pointer, "the strategy Grid takes categorical ranges alone",
                      "list the values in CategoricalParameterRanges, or take another strategy");
    const std::string place = kLimits + "/MaxNumberOfTrainingJobs";
    const auto jobs = value_at<double>(problems_, place);
    double points = 0;
    for (const Definition& each : request_.definitions) points += grid_points(each);
    const bool is_last = &definition == &request_.definitions.back();
    if (jobs && is_last && *jobs != points)
      problems_.add(place, shortest(*jobs) + " jobs, but the grid has " + shortest(points) + " combinations",
                    "write " + shortest(points) + ", or leave it out");
  }

  void check_length(const Definition& definition) {
    if (problems_.contains(kHyperband + "/MaxResource")) return;
    const auto length =
        std::find_if(definition.fixed.begin(), definition.fixed.end(), [](const NamedText& each) {
          return std::find(kLengthNames.begin(), kLengthNames.end(), each.name) != kLengthNames.end();
        });
    if (length == definition.fixed.end()) {
      problems_.add(
          kConfig + "/StrategyConfig", "the strategy Hyperband has to know how long a training is",
          "add \"HyperbandStrategyConfig\": {\"MaxResource\": 30}, or the static hyperparameter \"epochs\"");
      return;
    }
    int epochs = 0;
    const char* end = length->text.data() + length->text.size();
    const auto read = std::from_chars(length->text.data(), end, epochs);
    if (read.ec != std::errc() || read.ptr != end || epochs < 1 || epochs > 20000)
      problems_.add(length->pointer, in_quotes(length->text) + " is no length of a training",
                    "Hyperband wants 1 to 20000, or \"HyperbandStrategyConfig\": {\"MaxResource\": 30}");
  }

  const Request& request_;
  SpecProblems& problems_;
};

}  // namespace

void check_rules(const Request& request, SpecProblems& problems) { RuleChecker(request, problems).check(); }

}  // namespace tune::amt

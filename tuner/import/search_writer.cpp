#include "tuner/import/search_writer.h"

#include <algorithm>
#include <array>
#include <map>

#include "tuner/core/characters.h"
#include "tuner/import/amt_fields.h"
#include "tuner/import/detection_import.h"
#include "tuner/import/instance_gpus.h"
#include "tuner/import/python_regex.h"
#include "tuner/import/training_command.h"
#include "tuner/spec/spec_keys.h"

namespace tune::amt {
namespace {

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds);
  struct Unit {
    std::int64_t seconds;
    const char* letter;
  };
  for (const Unit& unit : {Unit{86400, "d"}, Unit{3600, "h"}, Unit{60, "m"}})
    if (whole % unit.seconds == 0) return std::to_string(whole / unit.seconds) + unit.letter;
  return std::to_string(whole) + "s";
}

OrderedJson whole(double number) { return static_cast<std::int64_t>(number); }

// The name of a metric as specs have it: other characters than theirs become "_".
std::string metric_name(const std::string& name) {
  std::string local;
  for (const char c : name) {
    if (continues_character(c)) continue;  // the rest of one character
    const bool may_follow = is_digit(c) || std::string_view(".:/@-").find(c) != std::string_view::npos;
    if (may_follow && local.empty()) local = "_";
    local += is_letter(c) || may_follow ? c : '_';
  }
  return local;
}

// Writes one search. Lives for one call of write_search.
class SearchWriter {
 public:
  SearchWriter(const Request& request, const Definition& definition, Share share,
               const ImportOptions& options, SpecProblems& problems, SearchDraft& draft)
      : request_(request),
        definition_(definition),
        share_(share),
        options_(options),
        problems_(problems),
        draft_(draft) {
    is_detection_ = options.command.empty() && algorithm_of(definition.image) == kDetection;
  }

  void write(const std::string& study) {
    draft_.put("/study", study, "/HyperParameterTuningJobName");
    write_objective();
    for (const Range& range : definition_.ranges) write_range(range);
    for (const NamedText& hint : definition_.hints) write_hint(hint);
    if (is_detection_)
      write_detection(definition_, options_.paths, draft_);
    else
      write_own_training();
    write_strategy();
    write_warm_start();
    write_early_stopping();
    write_limits();
    write_completion();
    write_retry();
    write_resources();
    if (const OrderedJson* autotune = problems_.find("/Autotune"))
      draft_.leave_out(
          "/Autotune", *autotune,
          "ranges, limits, early stopping and retries are as the request has them; Autotune would "
          "change them");
    write_network_isolation();
  }

 private:
  std::optional<double> number(const std::string& pointer) const {
    return value_at<double>(problems_, pointer);
  }
  std::string choice(const std::string& pointer, const std::vector<std::string_view>& choices) const {
    return api_spelling(value_at<std::string>(problems_, pointer).value_or(""), choices);
  }

  void write_objective() {
    if (!definition_.objective) return;
    const Objective& objective = *definition_.objective;
    const std::string metric = metric_name(objective.metric);
    draft_.put(
        "/objective", {{"metric", metric}, {"goal", objective.goal}, {"reduce", "last"}}, objective.pointer,
        "a trial's result is the last value, as SageMaker takes it" + renamed_text(objective.metric, metric));
    draft_.locate("/objective/metric", objective.pointer + "/MetricName");
    draft_.locate("/objective/goal", objective.pointer + "/Type");
  }

  static std::string renamed_text(const std::string& name, const std::string& local) {
    return name == local ? ""
                         : "; " + in_quotes(name) +
                               " is written so, since names of metrics have no such characters here";
  }

  std::string local_name(const std::string& name) const {
    return is_detection_ ? detection_name(name) : name;
  }

  void write_range(Range range) {
    if (!problems_.is_sound(range.pointer) || !check_parameter_name(range.name, range.pointer + "/Name"))
      return;
    const std::string name = local_name(range.name), to = member_pointer("/parameters", name);
    const std::string note = name == range.name ? "" : "tune-train's name for " + range.name;
    if (range.type == ParameterType::kCategorical) {
      if (is_detection_ && name == "optimizer" && !keep_known_optimizers(range, draft_)) {
        problems_.add(range.pointer + "/Values", "tune-train has none of these optimizers",
                      "name sgd or adam, or give --command");
        return;
      }
      draft_.put(to, {{"type", "categorical"}, {"values", local_values(range.values)}}, range.pointer, note);
      for (std::size_t i = 0; i < range.values.size(); ++i)
        draft_.locate(element_pointer(to + "/values", i), element_pointer(range.pointer + "/Values", i));
      return;
    }
    draft_.put(to,
               {{"type", range.type == ParameterType::kInt ? "int" : "float"},
                {"min", range.min},
                {"max", range.max},
                {"scale", range.scale}},
               range.pointer, note);
    for (const auto& [key, field] :
         {std::pair{"/min", "/MinValue"}, {"/max", "/MaxValue"}, {"/scale", "/ScalingType"}})
      draft_.locate(to + key, range.pointer + field);
  }

  // Numbers where each of the texts is one, so that trial.json has numbers.
  OrderedJson local_values(const std::vector<std::string>& texts) const {
    OrderedJson numbers = OrderedJson::array(), words = OrderedJson::array();
    for (const std::string& text : texts) {
      const std::string word = passed_text(text, definition_);
      words.push_back(word);
      if (const OrderedJson value = value_of(word); value.is_number()) numbers.push_back(value);
    }
    return numbers.size() == words.size() ? numbers : words;
  }

  // An argument or a key of trial.json has to have this name, so it is not changed.
  bool check_parameter_name(const std::string& name, const std::string& pointer) {
    const TextRule& rule = *find_key(spec_table(), "parameters")->member_name;
    if (rule.accepts(name)) return true;
    problems_.add(pointer,
                  in_quotes(name) + " cannot be the name of a hyperparameter here: " + std::string(rule.says),
                  "rename it, here and in the trainer");
    return false;
  }

  void write_hint(const NamedText& hint) {
    if (!check_parameter_name(hint.name, hint.pointer + "/Name")) return;
    draft_.put(member_pointer("/fixed", local_name(hint.name)), value_of(hint.text), hint.pointer,
               "Autotune would search around this value; give it a range in parameters to search it");
  }

  void write_own_training() {
    for (const NamedText& each : definition_.fixed) {
      if (is_of_service(each.name)) {
        write_service_parameter(each, definition_, draft_);
        continue;
      }
      if (!check_parameter_name(each.name, each.pointer)) continue;
      const auto local = options_.paths.local(passed_text(each.text, definition_));
      draft_.put(member_pointer("/fixed", each.name),
                 local ? OrderedJson(*local) : value_of(passed_text(each.text, definition_)), each.pointer,
                 local ? "by --map" : "");
    }
    write_command(definition_, options_, problems_, draft_);
    write_environment(definition_, options_.paths, draft_);
    write_metrics();
  }

  void write_metrics() {
    std::map<std::string, std::string> names;  // as SageMaker has them, by local name
    std::size_t count = 0;
    for (const NamedText& metric : definition_.metrics) {
      const std::string name = metric_name(metric.name), to = element_pointer("/metrics", count);
      const auto [other, is_new] = names.emplace(name, metric.name);
      const std::string place = metric.pointer + "/Regex";
      if (!is_new) {
        const bool is_same = other->second == metric.name;
        problems_.add(metric.pointer + "/Name",
                      "the metric " + in_quotes(metric.name) + " is there twice" +
                          (is_same ? "" : ", as " + in_quotes(other->second)),
                      is_same
                          ? "rename one, or join both regexes with |"
                          : "rename one of them: other characters than letters, digits and . : / @ - count "
                            "as \"_\" here");
        continue;
      }
      const Re2Regex regex = from_python(metric.text);
      if (!regex.objection.empty())
        problems_.add(place, "the regex " + in_quotes(metric.text) + " cannot be used: " + regex.objection,
                      regex.cure);
      if (!regex.warning.empty()) problems_.warn(place, regex.warning, regex.hint);
      std::string note = regex.regex == metric.text ? "" : "spelt for RE2";
      if (name != metric.name) note = renamed_text(metric.name, name).substr(2);
      draft_.put(to, {{"name", name}, {"regex", regex.regex}}, metric.pointer, note);
      draft_.locate(to + "/name", metric.pointer + "/Name");
      draft_.locate(to + "/regex", place);
      ++count;
    }
    if (!definition_.metrics.empty()) return warn_of_brackets();
    problems_.warn(
        definition_.pointer + "/AlgorithmSpecification",
        "it has no MetricDefinitions, since a built-in algorithm of SageMaker brings its own",
        "add \"metrics\" to the spec: the regex that finds the objective in what your program prints");
  }

  // Object Detection prints "validation mAP <score>=(0.52)".
  void warn_of_brackets() {
    if (algorithm_of(definition_.image) != kDetection) return;
    for (const NamedText& metric : definition_.metrics)
      if (metric.text.ends_with(">=(\\S+)"))
        problems_.warn(metric.pointer + "/Regex",
                       "it captures the brackets around the number, which the algorithm prints",
                       "write " + metric.text.substr(0, metric.text.size() - 5) + "\\((\\S+)\\)");
  }

  void write_strategy() {
    const std::string place = kConfig + "/Strategy";
    if (request_.strategy.empty() || problems_.find(place) == nullptr) return;
    const std::map<std::string, std::string> names{
        {"Bayesian", "bayesian"}, {"Random", "random"}, {"Hyperband", "hyperband"}, {"Grid", "grid"}};
    if (!names.contains(request_.strategy)) return;
    draft_.put("/strategy/name", names.at(request_.strategy), place);
    if (const auto seed = number(kConfig + "/RandomSeed"))
      draft_.put("/strategy/seed", whole(*seed), kConfig + "/RandomSeed");
    if (request_.strategy != "Hyperband") return;
    if (const auto least = number(kHyperband + "/MinResource"))
      draft_.put("/strategy/min_resource", whole(*least), kHyperband + "/MinResource");
    if (const auto most = number(kHyperband + "/MaxResource"))
      draft_.put("/strategy/max_resource", whole(*most), kHyperband + "/MaxResource");
  }

  void write_warm_start() {
    if (!problems_.is_sound(kWarmStart)) return;
    const bool is_identical =
        choice(kWarmStart + "/WarmStartType", {"IdenticalDataAndAlgorithm", "TransferLearning"}) ==
        "IdenticalDataAndAlgorithm";
    const std::string list = kWarmStart + "/ParentHyperParameterTuningJobs";
    const std::size_t count = problems_.find(list)->size();
    for (std::size_t i = 0; i < count; ++i) {
      const std::string from = element_pointer(list, i) + "/HyperParameterTuningJobName";
      const std::string to = element_pointer("/warm_start", i);
      draft_.put(to,
                 {{"study", value_at<std::string>(problems_, from).value_or("")},
                  {"kind", is_identical ? "identical" : "transfer"}},
                 from);
      draft_.locate(to + "/study", from);
    }
    problems_.warn(kWarmStart, "a study learns from studies of the same store",
                   "import and run the parent jobs first, or take warm_start out of the spec");
  }

  void write_early_stopping() {
    const std::string type = choice(kStopType, {"Off", "Auto"});
    if (type.empty() || request_.strategy == "Hyperband") {
      if (!type.empty()) draft_.ignore(kStopType, type, "the strategy hyperband brings its own rule");
      return;
    }
    const bool stops = type == "Auto";
    draft_.put("/early_stopping", {{"rule", stops ? "median_running_average" : "none"}}, kStopType,
               stops ? "SageMaker's rule; \"median\" is kinder to a trial with one noisy value" : "");
  }

  void write_limits() {
    const std::string jobs = kLimits + "/MaxNumberOfTrainingJobs";
    const auto total = number(jobs);
    if (request_.strategy == "Grid")
      draft_.put("/limits/trials", whole(grid_points(definition_)), total ? jobs : kConfig + "/Strategy",
                 "the points of the grid");
    else if (total)
      write_trials(*total, jobs);
    if (const auto parallel = number(kLimits + "/MaxParallelTrainingJobs"))
      draft_.put("/limits/parallel", whole(*parallel), kLimits + "/MaxParallelTrainingJobs");
    if (const auto time = number(kLimits + "/MaxRuntimeInSeconds"))
      draft_.put("/limits/time", duration_text(*time), kLimits + "/MaxRuntimeInSeconds");
    const std::string stopping = definition_.pointer + "/StoppingCondition",
                      place = stopping + "/MaxRuntimeInSeconds";
    if (const auto time = number(place))
      draft_.put("/limits/trial_time", duration_text(*time), place);
    else if (problems_.is_sound(stopping) && !problems_.contains(place))
      draft_.put("/limits/trial_time", "1d", stopping, "SageMaker's default");
  }

  // The jobs of all definitions together, as evenly as they go.
  void write_trials(double total, const std::string& from) {
    const auto all = static_cast<std::size_t>(total);
    const std::size_t part =
        std::max<std::size_t>(1, all / share_.of + (share_.index < all % share_.of ? 1 : 0));
    draft_.put("/limits/trials", part, from,
               share_.of == 1 ? "" : "its part of the " + std::to_string(all) + " jobs of all definitions");
  }

  void write_completion() {
    if (const auto target = number(kCompletion + "/TargetObjectiveMetricValue"))
      draft_.put("/limits/target", *target, kCompletion + "/TargetObjectiveMetricValue");
    const std::string improving =
        kCompletion + "/BestObjectiveNotImproving/MaxNumberOfTrainingJobsNotImproving";
    if (const auto jobs = number(improving))
      draft_.put("/limits/no_improvement", whole(*jobs), improving,
                 "any new best counts here, where SageMaker asks for one that is better by 1 %");
    const std::string convergence = kCompletion + "/ConvergenceDetected/CompleteOnConvergence";
    if (!problems_.is_sound(convergence)) return;
    if (choice(convergence, {"Enabled", "Disabled"}) == "Disabled")
      draft_.ignore(convergence, "Disabled", "it asks for nothing");
    else if (request_.strategy == "Bayesian")
      draft_.put("/limits/convergence", 0.01, convergence, "no trial is expected to be better by 1 %");
    else
      draft_.leave_out(convergence, "Enabled", "only the strategy bayesian expects anything of a trial");
  }

  void write_retry() {
    const std::string place = definition_.pointer + "/RetryStrategy/MaximumRetryAttempts";
    const auto attempts = number(place);
    if (!attempts) return;
    draft_.put("/retry/infrastructure/tries", whole(*attempts + 1), place, "the first one counts here");
  }

  void write_resources() {
    if (options_.usd_per_hour) draft_.put("/cost/usd_per_hour", *options_.usd_per_hour, "--usd-per-hour");
    if (!definition_.instances) return;
    const Instances& instances = *definition_.instances;
    const auto gpus = gpus_of(instances.type);
    if (!gpus)
      draft_.leave_out(
          instances.pointer, instances.type,
          "how many GPUs it has is not known here; set resources.gpus_per_trial (1 where there are GPUs)");
    else if (is_detection_ && *gpus > 1)
      draft_.put(
          "/resources/gpus_per_trial", 1, instances.pointer,
          instances.type + " has " + std::to_string(*gpus) + " GPUs, and tune-train takes one a trial");
    else
      draft_.put("/resources/gpus_per_trial", *gpus, instances.pointer, "the GPUs of " + instances.type);
    if (instances.count > 1)
      draft_.leave_out(instances.pointer.substr(0, instances.pointer.rfind('/')) + "/InstanceCount",
                       instances.count, "a trial has one machine");
  }

  void write_network_isolation() {
    const std::string place = definition_.pointer + "/EnableNetworkIsolation";
    const auto isolated = value_at<bool>(problems_, place);
    if (isolated && *isolated)
      draft_.leave_out(place, true, "a trainer may reach the network here");
    else if (isolated)
      draft_.ignore(place, false, "it asks for nothing");
  }

  const Request& request_;
  const Definition& definition_;
  Share share_;
  const ImportOptions& options_;
  SpecProblems& problems_;
  SearchDraft& draft_;
  bool is_detection_ = false;
};

}  // namespace

void write_search(const Request& request, const Definition& definition, Share share,
                  const ImportOptions& options, SpecProblems& problems, SearchDraft& draft) {
  SearchWriter(request, definition, share, options, problems, draft)
      .write(study_name(request, definition, share));
}

std::string study_name(const Request& request, const Definition& definition, Share share) {
  return share.of == 1 ? request.name : request.name + "-" + definition.name;
}

}  // namespace tune::amt

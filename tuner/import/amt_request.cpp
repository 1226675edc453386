#include "tuner/import/amt_request.h"

#include <cmath>

#include "tuner/core/number_text.h"
#include "tuner/import/amt_fields.h"

namespace tune::amt {
namespace {

constexpr double kLargestWhole = 9007199254740992;  // 2^53
constexpr std::size_t kMostFixed = 100, kMostVariables = 48;

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
  return first == std::string_view::npos ? "" : std::string(text.substr(first, last - first + 1));
}

const std::string* text_in(const OrderedJson& object, const char* key) {
  const auto value = object.find(key);
  return value != object.end() && value->is_string() ? value->get_ptr<const std::string*>() : nullptr;
}

// Reads one request. Lives for one call of read_request.
class RequestReader {
 public:
  RequestReader(SpecProblems& problems, ImportReport& report) : problems_(problems), report_(report) {}

  Request read() {
    Request request;
    request.name = text("/HyperParameterTuningJobName");
    request.strategy = api_spelling(text(kConfig + "/Strategy"), {"Bayesian", "Random", "Hyperband", "Grid"});
    request.is_autotuned = problems_.contains("/Autotune");
    const OrderedJson* list = problems_.find("/TrainingJobDefinitions");
    request.lists_definitions = list != nullptr;
    if (problems_.find("/TrainingJobDefinition") != nullptr)
      request.definitions.push_back(read_definition("/TrainingJobDefinition"));
    for (std::size_t i = 0; list != nullptr && list->is_array() && i < list->size(); ++i) {
      const std::string pointer = element_pointer("/TrainingJobDefinitions", i);
      if (problems_.find(pointer) != nullptr) request.definitions.push_back(read_definition(pointer));
    }
    return request;
  }

 private:
  std::string text(const std::string& pointer) const {
    return value_at<std::string>(problems_, pointer).value_or("");
  }

  // A list of objects whose own kind was checked.
  template <typename Read>
  void for_each(const std::string& pointer, Read&& read) const {
    const OrderedJson* list = problems_.find(pointer);
    if (list == nullptr || !list->is_array()) return;
    for (std::size_t i = 0; i < list->size(); ++i)
      if (problems_.find(element_pointer(pointer, i)) != nullptr) read(element_pointer(pointer, i));
  }

  Definition read_definition(const std::string& pointer) {
    Definition definition;
    definition.pointer = pointer;
    definition.name = text(pointer + "/DefinitionName");
    const std::string own_objective = pointer + "/TuningObjective",
                      own_ranges = pointer + "/HyperParameterRanges";
    definition.objective =
        read_objective(own_or_shared(own_objective, kConfig + "/HyperParameterTuningJobObjective"));
    definition.ranges_pointer = own_or_shared(own_ranges, kConfig + "/ParameterRanges");
    read_ranges(definition.ranges_pointer, definition);
    read_fixed(pointer + "/StaticHyperParameters", definition);
    read_algorithm(pointer + "/AlgorithmSpecification", definition);
    for_each(pointer + "/InputDataConfig", [&](const std::string& channel) {
      const std::string uri = channel + "/DataSource/S3DataSource/S3Uri";
      if (problems_.find(uri) != nullptr)
        definition.channels.push_back({uri, text(channel + "/ChannelName"), text(uri)});
    });
    read_environment(pointer + "/Environment", definition);
    definition.instances = read_instances(pointer);
    return definition;
  }

  // A definition's own goes before what the job has for all.
  std::string own_or_shared(const std::string& own, const std::string& shared) {
    if (!problems_.contains(own)) return shared;
    if (problems_.contains(shared))
      problems_.warn(shared, "it is not used for " + own.substr(1) + ", which stands beside it",
                     "leave one of the two out");
    return own;
  }

  std::optional<Objective> read_objective(const std::string& pointer) const {
    if (!problems_.is_sound(pointer)) return std::nullopt;
    const std::string type = api_spelling(text(pointer + "/Type"), {"Maximize", "Minimize"});
    return Objective{pointer, type == "Maximize" ? "maximize" : "minimize", text(pointer + "/MetricName")};
  }

  void read_ranges(const std::string& pointer, Definition& definition) {
    for_each(pointer + "/ContinuousParameterRanges",
             [&](const std::string& place) { read_range(place, ParameterType::kFloat, definition); });
    for_each(pointer + "/IntegerParameterRanges",
             [&](const std::string& place) { read_range(place, ParameterType::kInt, definition); });
    for_each(pointer + "/CategoricalParameterRanges",
             [&](const std::string& place) { read_choices(place, definition); });
    for_each(pointer + "/AutoParameters", [&](const std::string& place) {
      definition.hints.push_back({place, text(place + "/Name"), text(place + "/ValueHint")});
    });
  }

  void read_range(const std::string& pointer, ParameterType type, Definition& definition) {
    Range range;
    range.pointer = pointer;
    range.name = text(pointer + "/Name");
    range.type = type;
    const auto min = read_bound(pointer + "/MinValue", type), max = read_bound(pointer + "/MaxValue", type);
    if (min && max && *min > *max)
      problems_.add(pointer + "/MinValue", "MinValue is greater than MaxValue", "swap them");
    else if (min && max)
      check_scale(pointer, type, *min, *max);
    if (!min || !max || !problems_.is_sound(pointer)) {
      // Its name still counts, so that one mistake does not make others.
      definition.ranges.push_back(std::move(range));
      return;
    }
    range.min = bound_json(*min, type), range.max = bound_json(*max, type);
    range.scale = scale_of(pointer);
    definition.ranges.push_back(std::move(range));
  }

  static OrderedJson bound_json(double bound, ParameterType type) {
    return type == ParameterType::kInt ? OrderedJson(static_cast<std::int64_t>(bound)) : OrderedJson(bound);
  }

  std::string scale_of(const std::string& pointer) const {
    const std::string scale =
        api_spelling(text(pointer + "/ScalingType"), {"Auto", "Linear", "Logarithmic", "ReverseLogarithmic"});
    if (scale == "Linear") return "linear";
    if (scale == "Logarithmic") return "log";
    return scale == "ReverseLogarithmic" ? "reverse_log" : "auto";
  }

  std::optional<double> read_bound(const std::string& pointer, ParameterType type) {
    if (problems_.find(pointer) == nullptr) return std::nullopt;
    const std::string value = text(pointer);
    const auto number = finite_number_in(value);
    if (!number) {
      const std::string inner = trimmed(value);
      const bool has_blanks = inner != value && finite_number_in(inner);
      problems_.add(
          pointer,
          in_quotes(value) + (has_blanks ? " has blanks around the number" : " is not a finite number"),
          has_blanks ? "write " + in_quotes(inner) : "as in \"0.5\" or \"1e-6\"");
      return std::nullopt;
    }
    if (type == ParameterType::kInt && std::trunc(*number) != *number) {
      problems_.add(pointer, in_quotes(value) + " is not a whole number",
                    "a range with fractions belongs in ContinuousParameterRanges");
      return std::nullopt;
    }
    if (type == ParameterType::kInt && std::abs(*number) > kLargestWhole) {
      problems_.add(pointer, in_quotes(value) + " is beyond 2^53, where doubles skip whole numbers",
                    "choose a smaller one");
      return std::nullopt;
    }
    return number;
  }

  void check_scale(const std::string& pointer, ParameterType type, double min, double max) {
    const std::string scale = scale_of(pointer), place = pointer + "/ScalingType";
    if (scale == "log" && min <= 0)
      problems_.add(place, "Logarithmic needs values greater than 0, but MinValue is " + shortest(min),
                    "raise MinValue, as to \"1e-6\", or take Linear");
    if (scale == "reverse_log" && type == ParameterType::kInt)
      problems_.add(place, "ReverseLogarithmic is for continuous ranges", "take Linear or Logarithmic");
    else if (scale == "reverse_log" && (min < 0 || max >= 1))
      problems_.add(place,
                    "ReverseLogarithmic needs 0 <= MinValue and MaxValue < 1.0, but the range is " +
                        shortest(min) + " to " + shortest(max),
                    "change the range, as to \"0.999\" in place of \"1\", or take Linear");
  }

  void read_choices(const std::string& pointer, Definition& definition) {
    Range range;
    range.pointer = pointer;
    range.name = text(pointer + "/Name");
    range.type = ParameterType::kCategorical;
    const std::string place = pointer + "/Values";
    const OrderedJson* values = problems_.find(place);
    if (values != nullptr && (!values->is_array() || values->empty() || values->size() > 30))
      problems_.add(place,
                    values->is_array() ? "there are " + std::to_string(values->size()) + " values"
                                       : "must be a list of texts, but is " + describe_value(*values),
                    "SageMaker takes 1 to 30 values");
    else if (values != nullptr)
      for (std::size_t i = 0; i < values->size(); ++i) {
        const std::string at = element_pointer(place, i);
        check_text(at, (*values)[i], 256);
        if (problems_.find(at) != nullptr) range.values.push_back((*values)[i].get<std::string>());
      }
    definition.ranges.push_back(std::move(range));
  }

  void check_text(const std::string& pointer, const OrderedJson& value, std::size_t most) {
    if (!value.is_string())
      problems_.add(pointer, "must be a text, but is " + describe_value(value),
                    value.is_primitive() && !value.is_null()
                        ? "put it in quotes: " + in_quotes(argument_text(Json(value)))
                        : "");
    else if (const std::size_t length = character_count(value.get<std::string>()); length > most)
      problems_.add(pointer, "the value has " + std::to_string(length) + " characters",
                    "SageMaker allows at most " + std::to_string(most));
  }

  void read_fixed(const std::string& pointer, Definition& definition) {
    const OrderedJson* values = problems_.find(pointer);
    if (values == nullptr) return;
    if (!values->is_object()) {
      problems_.add(pointer, "must be an object, but is " + describe_value(*values),
                    "write {\"epochs\": \"30\"}");
      return;
    }
    if (values->size() > kMostFixed) {
      problems_.add(pointer, "there are " + std::to_string(values->size()) + " static hyperparameters",
                    "SageMaker allows at most " + std::to_string(kMostFixed));
      return;
    }
    for (const auto& [name, value] : values->items()) {
      const std::string place = member_pointer(pointer, name);
      check_text(place, value, 2500);
      if (character_count(name) > 256)
        problems_.add_at_key(place, "the name has " + std::to_string(character_count(name)) + " characters",
                             "SageMaker allows at most 256");
      definition.fixed.push_back({place, name, value.is_string() ? value.get<std::string>() : ""});
    }
  }

  void read_algorithm(const std::string& pointer, Definition& definition) {
    const std::string image = pointer + "/TrainingImage", name = pointer + "/AlgorithmName";
    if (problems_.contains(image) && problems_.contains(name))
      problems_.add_at_key(name, "TrainingImage and AlgorithmName exclude each other",
                           "keep the one that trains");
    definition.image_pointer = problems_.contains(image) || !problems_.contains(name) ? image : name;
    definition.image = text(definition.image_pointer);
    for_each(pointer + "/MetricDefinitions", [&](const std::string& place) {
      definition.metrics.push_back({place, text(place + "/Name"), text(place + "/Regex")});
    });
  }

  // The API has a map; a page of the guide shows a list of objects, and others write name and value.
  void read_environment(const std::string& pointer, Definition& definition) {
    const OrderedJson* environment = problems_.find(pointer);
    if (environment == nullptr) return;
    if (environment->is_structured() && environment->size() > kMostVariables) {
      problems_.add(pointer, "there are " + std::to_string(environment->size()) + " variables",
                    "SageMaker allows at most " + std::to_string(kMostVariables));
    } else if (environment->is_object()) {
      read_variables(pointer, *environment, definition);
    } else if (environment->is_array()) {
      for (std::size_t i = 0; i < environment->size(); ++i)
        read_listed_variable(element_pointer(pointer, i), (*environment)[i], definition);
    } else {
      problems_.add(pointer, "must be an object, but is " + describe_value(*environment),
                    "write {\"NAME\": \"value\"}");
    }
  }

  void read_listed_variable(const std::string& pointer, const OrderedJson& entry, Definition& definition) {
    const std::string *name = nullptr, *key = nullptr;
    if (entry.is_object()) name = text_in(entry, "Name"), key = text_in(entry, "Key");
    if (!entry.is_object())
      problems_.add(pointer, "must be an object, but is " + describe_value(entry),
                    "write {\"NAME\": \"value\"}");
    else if (entry.size() == 2 && entry.contains("Value") && (name != nullptr || key != nullptr))
      add_variable(pointer + "/Value", name != nullptr ? *name : *key, entry.at("Value"), definition);
    else
      read_variables(pointer, entry, definition);
  }

  void read_variables(const std::string& pointer, const OrderedJson& variables, Definition& definition) {
    for (const auto& [name, value] : variables.items())
      add_variable(member_pointer(pointer, name), name, value, definition);
  }

  void add_variable(const std::string& pointer, const std::string& name, const OrderedJson& value,
                    Definition& definition) {
    check_text(pointer, value, 512);
    if (character_count(name) > 512)
      problems_.add_at_key(pointer, "the name has " + std::to_string(character_count(name)) + " characters",
                           "SageMaker allows at most 512");
    if (problems_.find(pointer) != nullptr)
      definition.environment.push_back({pointer, name, value.get<std::string>()});
  }

  std::optional<Instances> read_instances(const std::string& definition) {
    const std::string own = definition + "/ResourceConfig",
                      tuning = definition + "/HyperParameterTuningResourceConfig";
    if (problems_.contains(own) && problems_.contains(tuning))
      problems_.add_at_key(tuning, "ResourceConfig and HyperParameterTuningResourceConfig exclude each other",
                           "keep one of them");
    else if (!problems_.contains(own) && !problems_.contains(tuning))
      problems_.add(definition, "neither ResourceConfig nor HyperParameterTuningResourceConfig is there",
                    "SageMaker requires one of them");
    std::string pointer = problems_.contains(own) ? own : tuning;
    const std::string configs = tuning + "/InstanceConfigs";
    if (pointer == tuning && problems_.contains(configs)) {
      pointer = element_pointer(configs, 0);
      for_each(configs, [&](const std::string& place) {
        if (place != pointer)
          report_.ignored.push_back(
              {place, *problems_.find(place), "it is what AWS takes when the first has no capacity", 0});
      });
    }
    const auto type = value_at<std::string>(problems_, pointer + "/InstanceType");
    if (!type) return std::nullopt;
    return Instances{pointer + "/InstanceType", *type,
                     static_cast<int>(value_at<double>(problems_, pointer + "/InstanceCount").value_or(1))};
  }

  SpecProblems& problems_;
  ImportReport& report_;
};

}  // namespace

Request read_request(SpecProblems& problems, ImportReport& report) {
  return RequestReader(problems, report).read();
}

double grid_points(const Definition& definition) {
  double points = 1;
  for (const Range& range : definition.ranges)
    points =
        std::min(points * static_cast<double>(std::max<std::size_t>(range.values.size(), 1)), kLargestWhole);
  return points;
}

}  // namespace tune::amt

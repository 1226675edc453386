// The request against the table of its fields.
#include <algorithm>

#include "tuner/core/characters.h"
#include "tuner/core/edit_distance.h"
#include "tuner/import/amt_fields.h"
#include "tuner/spec/spec_keys.h"

namespace tune::amt {
namespace {

const char* name_of(FieldKind kind) {
  switch (kind) {
    case FieldKind::kText:
      return "a text";
    case FieldKind::kNumber:
      return "a number";
    case FieldKind::kWholeNumber:
      return "a whole number";
    case FieldKind::kFlag:
      return "true or false";
    case FieldKind::kObject:
      return "an object";
    case FieldKind::kObjects:
      return "a list of objects";
    case FieldKind::kAny:
      break;
  }
  return "a value";
}

bool has_kind(const OrderedJson& value, FieldKind kind) {
  switch (kind) {
    case FieldKind::kText:
      return value.is_string();
    case FieldKind::kNumber:
      return value.is_number();
    case FieldKind::kWholeNumber:
      return is_whole(value);
    case FieldKind::kFlag:
      return value.is_boolean();
    case FieldKind::kObject:
      return value.is_object();
    case FieldKind::kObjects:
      return value.is_array();
    case FieldKind::kAny:
      break;
  }
  return true;
}

std::string kind_cure(const OrderedJson& value, FieldKind kind) {
  if (value.is_null()) return "leave it out, or give it a value";
  const bool is_text = value.is_string();
  if (kind == FieldKind::kText && value.is_number())
    return "put it in quotes: " + in_quotes(argument_text(Json(value)));
  if ((kind == FieldKind::kNumber || kind == FieldKind::kWholeNumber) && is_text)
    return Json::parse(value.get<std::string>(), nullptr, false).is_number() ? "write it without quotes"
                                                                             : "write a number, as in 20";
  if (kind == FieldKind::kFlag && is_text) return "write it without quotes";
  if (kind == FieldKind::kObjects && value.is_object()) return "put it into [ and ]";
  return {};
}

// Checks one request. Lives for one call of check_fields.
class FieldChecker {
 public:
  FieldChecker(SpecProblems& problems, ImportReport& report) : problems_(problems), report_(report) {}

  void check_object(const OrderedJson& object, const FieldTable& table, const std::string& pointer) {
    std::vector<std::string> names;
    for (const Field& field : table.fields) names.emplace_back(field.name);
    for (const auto& [name, value] : object.items()) {
      const std::string place = member_pointer(pointer, name);
      const auto field = std::find_if(table.fields.begin(), table.fields.end(),
                                      [&name = name](const Field& each) { return each.name == name; });
      if (field == table.fields.end())
        report_.unmapped.push_back({place, value, unknown_text(name, names), 0});
      else
        check_field(value, *field, place);
    }
    for (const Field& field : table.fields)
      if (field.required && !object.contains(field.name))
        problems_.add(member_pointer(pointer, field.name), in_quotes(field.name) + " is missing",
                      missing_cure(field, object));
  }

 private:
  static std::string unknown_text(const std::string& name, const std::vector<std::string>& names) {
    const auto nearest = nearest_name(name, names);
    return "it is no field that is known here" +
           (nearest ? "; did you mean " + in_quotes(*nearest) + "?" : "");
  }

  // A file with one argument of the AWS command line alone is taken for the request.
  static std::string missing_cure(const Field& field, const OrderedJson& object) {
    const bool is_config = field.name == "HyperParameterTuningJobConfig" && object.contains("Strategy");
    if (is_config)
      return "this is the configuration alone: write {\"HyperParameterTuningJobName\": \"my-job\", "
             "\"HyperParameterTuningJobConfig\": {...}, \"TrainingJobDefinition\": {...}}";
    return "SageMaker requires it";
  }

  void check_field(const OrderedJson& value, const Field& field, const std::string& pointer) {
    check_value(value, field, pointer);
    if (field.fate == Fate::kRead || !problems_.is_sound(pointer)) return;
    (field.fate == Fate::kIgnored ? report_.ignored : report_.unmapped)
        .push_back({pointer, value, std::string(field.reason), 0});
  }

  void check_value(const OrderedJson& value, const Field& field, const std::string& pointer) {
    if (!has_kind(value, field.kind)) {
      problems_.add(pointer,
                    std::string("must be ") + name_of(field.kind) + ", but is " + describe_value(value),
                    kind_cure(value, field.kind));
      return;
    }
    if (field.kind == FieldKind::kText) check_text(value.get<std::string>(), field, pointer);
    if (value.is_number() && field.kind != FieldKind::kAny) check_number(value, field, pointer);
    if (field.kind == FieldKind::kObject) check_object(value, *field.fields, pointer);
    if (field.kind == FieldKind::kObjects) check_objects(value, field, pointer);
  }

  void check_text(const std::string& text, const Field& field, const std::string& pointer) {
    if (!field.choices.empty()) {
      const std::string choice = api_spelling(text, field.choices);
      if (std::find(field.choices.begin(), field.choices.end(), choice) == field.choices.end())
        problems_.add(pointer, in_quotes(text) + " is not a valid " + std::string(field.name),
                      name_hint(text, to_strings(field.choices), "valid are"));
      return;
    }
    const std::size_t length = character_count(text);
    if (field.least && static_cast<double>(length) < *field.least)
      problems_.add(pointer, in_quotes(field.name) + " is empty", "SageMaker wants a text here");
    if (field.most && static_cast<double>(length) > *field.most)
      problems_.add(pointer, in_quotes(text) + " has " + std::to_string(length) + " characters",
                    "SageMaker allows at most " + shortest(*field.most));
  }

  void check_number(const OrderedJson& value, const Field& field, const std::string& pointer) {
    const auto number = value.get<double>();
    const std::string text = argument_text(Json(value));
    if (field.least && number < *field.least)
      problems_.add(pointer, text + " is too small", "SageMaker's least is " + shortest(*field.least));
    else if (field.most && number > *field.most)
      problems_.add(pointer, text + " is too large",
                    "SageMaker's most is " + argument_text(static_cast<std::int64_t>(*field.most)));
    else if (field.kind == FieldKind::kWholeNumber && number > 2147483647)
      problems_.add(pointer, text + " is too large", "the most is 2147483647");
  }

  void check_objects(const OrderedJson& list, const Field& field, const std::string& pointer) {
    const auto size = static_cast<double>(list.size());
    if (field.least && size < *field.least)
      problems_.add(pointer, in_quotes(field.name) + " is empty", "leave it out, or name one");
    if (field.most && size > *field.most)
      problems_.add(pointer, in_quotes(field.name) + " has " + std::to_string(list.size()) + " entries",
                    "SageMaker allows at most " + shortest(*field.most));
    constexpr std::size_t kLookedAt = 1000;  // no list of a request is longer
    for (std::size_t i = 0; i < std::min(list.size(), kLookedAt); ++i) {
      const std::string place = element_pointer(pointer, i);
      if (list[i].is_object())
        check_object(list[i], *field.fields, place);
      else
        problems_.add(place, "must be an object, but is " + describe_value(list[i]));
    }
  }

  SpecProblems& problems_;
  ImportReport& report_;
};

}  // namespace

void check_fields(const OrderedJson& request, SpecProblems& problems, ImportReport& report) {
  if (!request.is_object()) {
    problems.add("", "a request is an object, but this is " + describe_value(request),
                 "start with { and end with }");
    return;
  }
  FieldChecker(problems, report).check_object(request, request_fields(), "");
}

std::string guide_spelling(std::string_view choice) {
  std::string spelling;
  for (const char c : choice) {
    if (c >= 'A' && c <= 'Z' && !spelling.empty()) spelling += '_';
    spelling += upper_case(c);
  }
  return spelling;
}

std::string api_spelling(const std::string& text, const std::vector<std::string_view>& choices) {
  for (const std::string_view choice : choices)
    if (text == guide_spelling(choice)) return std::string(choice);
  return text;
}

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

}  // namespace tune::amt

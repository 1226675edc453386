// The document against the table of keys.
#include <algorithm>
#include <sstream>

#include "tuner/core/clock.h"
#include "tuner/core/edit_distance.h"
#include "tuner/spec/spec_keys.h"
#include "tuner/spec/spec_problems.h"
#include "tuner/spec/spec_text_rules.h"

namespace tune {
namespace {

const char* name_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::kText:
      return "a text";
    case ValueKind::kNumber:
      return "a number";
    case ValueKind::kInteger:
      return "a whole number";
    case ValueKind::kDuration:
      return "a duration such as \"20m\"";
    case ValueKind::kObject:
    case ValueKind::kMap:
      return "an object";
    case ValueKind::kArray:
      return "an array";
    case ValueKind::kEnvironment:
      return "a text or {\"from_env\": NAME}";
    case ValueKind::kAny:
      return "a value";
  }
  return "a value";
}

bool has_kind(const OrderedJson& value, ValueKind kind) {
  switch (kind) {
    case ValueKind::kText:
    case ValueKind::kDuration:
      return value.is_string();
    case ValueKind::kNumber:
      return value.is_number();
    case ValueKind::kInteger:
      return is_whole(value);
    case ValueKind::kObject:
    case ValueKind::kMap:
      return value.is_object();
    case ValueKind::kArray:
      return value.is_array();
    case ValueKind::kEnvironment:
      return value.is_string() || value.is_object();
    case ValueKind::kAny:
      return true;
  }
  return false;
}

// "train.py --lr=1" -> "\"train.py\", \"--lr=1\"".
std::string words_in_quotes(const std::string& text) {
  std::istringstream words(text);
  std::string result;
  for (std::string word; words >> word;) result += (result.empty() ? "" : ", ") + in_quotes(word);
  return result;
}

std::string kind_hint(const OrderedJson& value, ValueKind kind, const ObjectTable* object) {
  if ((kind == ValueKind::kText || kind == ValueKind::kEnvironment) && value.is_primitive() &&
      !value.is_null())
    return "put it in quotes: " + in_quotes(argument_text(Json(value)));
  if ((kind == ValueKind::kNumber || kind == ValueKind::kInteger) && value.is_string())
    return Json::parse(value.get<std::string>(), nullptr, false).is_number() ? "write it without quotes"
                                                                             : "write a number, as in 20";
  if (kind == ValueKind::kDuration && value.is_number())
    return "add a unit: \"90s\", \"20m\", \"2h\" or \"1d\"";
  if (kind == ValueKind::kArray && value.is_string())
    return "write [" + words_in_quotes(value.get<std::string>()) + "]";
  if (kind == ValueKind::kObject && value.is_string() && object != nullptr && !object->keys.empty())
    return "write {" + in_quotes(object->keys.front().name) + ": " + in_quotes(value.get<std::string>()) +
           "}";
  return {};
}

// Checks one document. Lives for one call of check_against_table.
class TableChecker {
 public:
  explicit TableChecker(SpecProblems& problems) : problems_(problems) {}

  void check_object(const OrderedJson& object, const ObjectTable& table, const std::string& pointer) {
    for (const auto& [name, value] : object.items()) {
      const KeyRule* key = find_key(table, name);
      const std::string place = member_pointer(pointer, name);
      if (key == nullptr && !table.is_open)
        report_unknown(name, table, place);
      else if (key != nullptr && key->later)
        problems_.add_at_key(place, in_quotes(name) + " is not implemented in this version", "leave it out");
      else if (key != nullptr)
        check_value(value, *key, key->kind, place);
    }
    for (const KeyRule& key : table.keys)
      if (key.required && !object.contains(key.name))
        problems_.add(member_pointer(pointer, key.name), "the key " + in_quotes(key.name) + " is missing",
                      std::string(key.description));
  }

 private:
  void report_unknown(const std::string& name, const ObjectTable& table, const std::string& place) {
    problems_.add_at_key(place, "unknown key " + in_quotes(name), unknown_hint(name, table));
  }

  // A key of one section is often written beside it.
  static std::string unknown_hint(const std::string& name, const ObjectTable& table) {
    for (const KeyRule& section : table.keys)
      if (section.kind == ValueKind::kObject && find_key(*section.object, name) != nullptr)
        return "it belongs in " + in_quotes(section.name);
    return name_hint(name, key_names(table), "valid keys");
  }

  void check_value(const OrderedJson& value, const KeyRule& key, ValueKind kind, const std::string& pointer) {
    if (!key.word.empty() && value.is_string() && value.get_ref<const std::string&>() == key.word) return;
    if (!has_kind(value, kind)) {
      problems_.add(
          pointer, std::string("must be ") + name_of(kind) + ", but is " + describe_value(value),
          key.word.empty() ? kind_hint(value, kind, key.object) : "give a number, or " + in_quotes(key.word));
      return;
    }
    switch (kind) {
      case ValueKind::kText:
        return check_text(value.get<std::string>(), key, pointer);
      case ValueKind::kDuration:
        return check_duration(value.get<std::string>(), pointer);
      case ValueKind::kNumber:
      case ValueKind::kInteger:
        return check_range(value, key, kind, pointer);
      case ValueKind::kObject:
        return check_object(value, *key.object, pointer);
      case ValueKind::kMap:
        return check_map(value, key, pointer);
      case ValueKind::kArray:
        return check_array(value, key, pointer);
      case ValueKind::kEnvironment:
        return check_environment(value, key, pointer);
      case ValueKind::kAny:
        return;
    }
  }

  void check_text(const std::string& text, const KeyRule& key, const std::string& pointer) {
    const bool is_a_choice = std::find(key.choices.begin(), key.choices.end(), text) != key.choices.end();
    if (!key.choices.empty() && !is_a_choice)
      problems_.add(pointer, in_quotes(text) + " is not a valid " + std::string(key.name),
                    choice_hint(text, key));
    else if (key.text != nullptr && !key.text->accepts(text))
      problems_.add(pointer, in_quotes(text) + " is not valid here: " + std::string(key.text->says));
  }

  static std::string choice_hint(const std::string& text, const KeyRule& key) {
    for (const auto& [word, cure] : key.foreign)
      if (text == word) return std::string(cure);
    return name_hint(text, to_strings(key.choices), "valid are");
  }

  void check_duration(const std::string& text, const std::string& pointer) {
    try {
      if (parse_duration(text).count() == 0)
        problems_.add(pointer, "the duration must be longer than nothing");
    } catch (const std::invalid_argument& error) {
      problems_.add(pointer, error.what());
    }
  }

  void check_range(const OrderedJson& value, const KeyRule& key, ValueKind kind, const std::string& pointer) {
    const auto number = value.get<double>();
    const std::string text = argument_text(Json(value));  // exact, where the double is not
    std::optional<double> largest = key.maximum;
    if (kind == ValueKind::kInteger) largest = largest_integer(key);
    if (key.minimum && number < *key.minimum)
      problems_.add(pointer, text + " is too small", "the least is " + shortest(*key.minimum));
    else if (largest && number > *largest)
      problems_.add(pointer, text + " is too large",
                    "the most is " + argument_text(static_cast<std::int64_t>(*largest)));
  }

  void check_count(const OrderedJson& value, const KeyRule& key, const std::string& pointer) {
    const std::string has =
        in_quotes(key.name) + (value.empty() ? " is empty"
                                             : " has " + std::to_string(value.size()) +
                                                   (value.size() == 1 ? " entry" : " entries"));
    if (value.size() < key.least_items)
      problems_.add(pointer, has,
                    key.least_items == 1 ? "it needs at least one entry"
                                         : "it needs " + std::to_string(key.least_items));
    if (key.most_items && value.size() > *key.most_items)
      problems_.add(pointer, has, "the most is " + std::to_string(*key.most_items));
  }

  void check_map(const OrderedJson& value, const KeyRule& key, const std::string& pointer) {
    check_count(value, key, pointer);
    if (key.most_items && value.size() > *key.most_items) return;
    for (const auto& [name, item] : value.items()) {
      const std::string place = member_pointer(pointer, name);
      if (key.member_name != nullptr && !key.member_name->accepts(name))
        problems_.add_at_key(place, in_quotes(name) + " is not a valid name",
                             std::string(key.member_name->says));
      check_value(item, key, key.item, place);
    }
  }

  void check_array(const OrderedJson& value, const KeyRule& key, const std::string& pointer) {
    check_count(value, key, pointer);
    for (std::size_t i = 0; i < value.size(); ++i) {
      // Items of a map kind are points of the user's own; they have no rule beyond being objects.
      const std::string place = element_pointer(pointer, i);
      if (!has_kind(value[i], key.item))
        problems_.add(place,
                      std::string("must be ") + name_of(key.item) + ", but is " + describe_value(value[i]),
                      kind_hint(value[i], key.item, key.object));
      else if (key.item == ValueKind::kObject)
        check_object(value[i], *key.object, place);
      else if (key.item == ValueKind::kText)
        check_text(value[i].get<std::string>(), key, place);
    }
  }

  void check_environment(const OrderedJson& value, const KeyRule& key, const std::string& pointer) {
    if (value.is_object()) check_object(value, *key.object, pointer);
  }

  SpecProblems& problems_;
};

}  // namespace

void check_against_table(const OrderedJson& document, const ObjectTable& table, const std::string& what,
                         SpecProblems& problems) {
  if (!document.is_object()) {
    problems.add("", what + " is an object, but this is " + describe_value(document),
                 "start with { and end with }");
    return;
  }
  TableChecker(problems).check_object(document, table, "");
}

}  // namespace tune

// The JSON Schema of a spec, out of the table of its keys.
#include <algorithm>

#include "tuner/spec/spec.h"
#include "tuner/spec/spec_keys.h"

namespace tune {
namespace {

OrderedJson number_schema(const char* type, const std::optional<double>& least,
                          const std::optional<double>& largest) {
  OrderedJson schema{{"type", type}};
  const auto number = [](double value) -> OrderedJson {
    if (value == static_cast<double>(static_cast<std::int64_t>(value)))
      return static_cast<std::int64_t>(value);
    return value;
  };
  if (least) schema["minimum"] = number(*least);
  if (largest) schema["maximum"] = number(*largest);
  return schema;
}

OrderedJson text_schema(const KeyRule& key) {
  OrderedJson schema{{"type", "string"}};
  if (!key.choices.empty()) schema["enum"] = to_strings(key.choices);
  if (key.text != nullptr) schema["pattern"] = key.text->pattern;
  return schema;
}

OrderedJson value_schema(const KeyRule& key, ValueKind kind) {
  switch (kind) {
    case ValueKind::kText:
    case ValueKind::kDuration:
      return text_schema(key);
    case ValueKind::kNumber:
      return number_schema("number", key.minimum, key.maximum);
    case ValueKind::kInteger: {
      OrderedJson number = number_schema("integer", key.minimum, largest_integer(key));
      if (key.word.empty()) return number;
      return {{"anyOf", OrderedJson::array({std::move(number), OrderedJson{{"enum", {key.word}}}})}};
    }
    case ValueKind::kObject:
      return object_schema(*key.object);
    case ValueKind::kEnvironment:
      return {{"anyOf", OrderedJson::array({OrderedJson{{"type", "string"}}, object_schema(*key.object)})}};
    case ValueKind::kAny:
      return OrderedJson::object();
    case ValueKind::kArray: {
      OrderedJson schema{{"type", "array"},
                         {"items", key.item == ValueKind::kMap ? OrderedJson{{"type", "object"}}
                                                               : value_schema(key, key.item)}};
      if (key.least_items > 0) schema["minItems"] = key.least_items;
      return schema;
    }
    case ValueKind::kMap: {
      OrderedJson schema{{"type", "object"}};
      if (key.member_name != nullptr)
        schema["propertyNames"] = OrderedJson{{"pattern", key.member_name->pattern}};
      if (key.item != ValueKind::kAny) schema["additionalProperties"] = value_schema(key, key.item);
      if (key.least_items > 0) schema["minProperties"] = key.least_items;
      if (key.most_items) schema["maxProperties"] = *key.most_items;
      return schema;
    }
  }
  return OrderedJson::object();
}

// Which keys go with which value of "type"; nothing for a table without such a key.
OrderedJson type_cases(const ObjectTable& table) {
  OrderedJson cases = OrderedJson::array();
  const KeyRule* type = find_key(table, "type");
  if (type == nullptr) return cases;
  for (const std::string_view choice : type->choices) {
    OrderedJson names = OrderedJson::array(), required = OrderedJson::array();
    for (const KeyRule& key : table.keys) {
      const bool applies =
          std::find(key.applies_to.begin(), key.applies_to.end(), choice) != key.applies_to.end();
      if (!key.later && (key.applies_to.empty() || applies)) names.push_back(key.name);
      if (applies && (key.name == "min" || key.name == "max" || key.name == "values"))
        required.push_back(key.name);
    }
    cases.push_back({{"if", {{"properties", {{"type", {{"const", choice}}}}}}},
                     {"then", {{"propertyNames", {{"enum", names}}}, {"required", required}}}});
  }
  return cases;
}

}  // namespace

OrderedJson object_schema(const ObjectTable& table) {
  OrderedJson schema{{"type", "object"}}, properties = OrderedJson::object(), required = OrderedJson::array();
  for (const KeyRule& key : table.keys) {
    if (key.later) continue;
    OrderedJson property = value_schema(key, key.kind);
    if (!key.description.empty()) property["description"] = key.description;
    if (!key.default_json.empty()) property["default"] = OrderedJson::parse(key.default_json);
    properties[std::string(key.name)] = std::move(property);
    if (key.required) required.push_back(key.name);
  }
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = table.is_open;
  if (OrderedJson cases = type_cases(table); !cases.empty()) schema["allOf"] = std::move(cases);
  return schema;
}

void require_an_end(OrderedJson& search) {
  for (const char* limit : kEndingLimits)
    search["properties"]["limits"]["anyOf"].push_back({{"required", {limit}}});
}

OrderedJson spec_schema() {
  OrderedJson schema{{"$schema", kSchemaDraft}, {"title", "tune: specification of a search, version 1"}};
  schema.update(object_schema(spec_table()));
  schema["not"] = {{"required", {"trainer", "command"}}};
  require_an_end(schema);
  return schema;
}

}  // namespace tune

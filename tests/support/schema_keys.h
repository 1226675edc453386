#pragma once
// Holds a JSON Schema against the table of keys that it was made of.
#include <string>

#include "support/catch.h"
#include "tuner/spec/spec_keys.h"

namespace tune::tests {

// Every key of a table must be in the schema of that table, with its description and default.
inline int check_keys(const ObjectTable& table, const OrderedJson& schema, const std::string& path) {
  int keys = 0;
  for (const KeyRule& key : table.keys) {
    CAPTURE(path, key.name);
    const std::string name(key.name);
    REQUIRE(schema.at("properties").contains(name) == !key.later);
    if (key.later) continue;
    const OrderedJson& property = schema["properties"][name];
    REQUIRE(property.at("description") == key.description);
    REQUIRE_FALSE(key.description.empty());
    if (!key.default_json.empty()) REQUIRE(property.at("default") == OrderedJson::parse(key.default_json));
    const OrderedJson& chosen = key.kind == ValueKind::kArray ? property.at("items") : property;
    if (!key.choices.empty()) REQUIRE(chosen.at("enum") == to_strings(key.choices));
    ++keys;
    if (key.kind == ValueKind::kObject) keys += check_keys(*key.object, property, path + "/" + name);
    if (key.kind == ValueKind::kMap && key.item == ValueKind::kObject)
      keys += check_keys(*key.object, property.at("additionalProperties"), path + "/" + name + "/*");
    if (key.kind == ValueKind::kArray && key.item == ValueKind::kObject)
      keys += check_keys(*key.object, property.at("items"), path + "/" + name + "/*");
  }
  REQUIRE(schema["properties"].size() <= table.keys.size());
  return keys;
}

}  // namespace tune::tests

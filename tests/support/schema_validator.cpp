#include "support/schema_validator.h"

#include <cmath>
#include <functional>
#include <map>
#include <regex>
#include <stdexcept>

namespace tune::tests {
namespace {

using Check = std::function<bool(const OrderedJson& rule, const OrderedJson& value)>;

bool has_type(const OrderedJson& rule, const OrderedJson& value) {
  if (rule == "object") return value.is_object();
  if (rule == "array") return value.is_array();
  if (rule == "string") return value.is_string();
  if (rule == "number") return value.is_number();
  if (rule == "integer") return value.is_number() && std::trunc(value.get<double>()) == value.get<double>();
  throw std::logic_error("unknown type " + rule.dump());
}

bool is_valid(const OrderedJson& schema, const OrderedJson& value) {
  return schema_violations(schema, value).empty();
}

bool has_all(const OrderedJson& names, const OrderedJson& value) {
  return !value.is_object() || std::all_of(names.begin(), names.end(), [&](const OrderedJson& name) {
    return value.contains(name.get<std::string>());
  });
}

const std::map<std::string, Check>& simple_checks() {
  static const std::map<std::string, Check> checks{
      {"type", has_type},
      {"enum", [](const auto& rule,
                  const auto& value) { return std::find(rule.begin(), rule.end(), value) != rule.end(); }},
      {"const", [](const auto& rule, const auto& value) { return rule == value; }},
      {"pattern",
       [](const auto& rule, const auto& value) {
         return !value.is_string() || std::regex_search(value.template get<std::string>(),
                                                        std::regex(rule.template get<std::string>()));
       }},
      {"minimum",
       [](const auto& rule, const auto& value) {
         return !value.is_number() || value.template get<double>() >= rule.template get<double>();
       }},
      {"maximum",
       [](const auto& rule, const auto& value) {
         return !value.is_number() || value.template get<double>() <= rule.template get<double>();
       }},
      {"minItems",
       [](const auto& rule, const auto& value) {
         return !value.is_array() || value.size() >= rule.template get<std::size_t>();
       }},
      {"maxItems",
       [](const auto& rule, const auto& value) {
         return !value.is_array() || value.size() <= rule.template get<std::size_t>();
       }},
      {"minProperties",
       [](const auto& rule, const auto& value) {
         return !value.is_object() || value.size() >= rule.template get<std::size_t>();
       }},
      {"maxProperties",
       [](const auto& rule, const auto& value) {
         return !value.is_object() || value.size() <= rule.template get<std::size_t>();
       }},
      {"required", has_all},
      {"not", [](const auto& rule, const auto& value) { return !is_valid(rule, value); }},
      {"anyOf",
       [](const auto& rule, const auto& value) {
         return std::any_of(rule.begin(), rule.end(), [&](const auto& one) { return is_valid(one, value); });
       }},
      {"propertyNames", [](const auto& rule, const auto& value) {
         if (!value.is_object()) return true;
         for (const auto& item : value.items())
           if (!is_valid(rule, OrderedJson(item.key()))) return false;
         return true;
       }}};
  return checks;
}

void append(std::vector<std::string>& all, const std::vector<std::string>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

void check_members(const OrderedJson& schema, const OrderedJson& value, const std::string& pointer,
                   std::vector<std::string>& all) {
  const OrderedJson properties = schema.value("properties", OrderedJson::object());
  for (const auto& item : value.items()) {
    const std::string place = pointer + "/" + item.key();
    if (properties.contains(item.key()))
      append(all, schema_violations(properties[item.key()], item.value(), place));
    else if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object())
      append(all, schema_violations(schema["additionalProperties"], item.value(), place));
    else if (schema.value("additionalProperties", OrderedJson(true)) == false)
      all.push_back(place + ": additionalProperties");
  }
}

}  // namespace

std::vector<std::string> schema_violations(const OrderedJson& schema, const OrderedJson& value,
                                           const std::string& pointer) {
  std::vector<std::string> all;
  for (const auto& [keyword, rule] : schema.items()) {
    if (const auto check = simple_checks().find(keyword); check != simple_checks().end()) {
      if (!check->second(rule, value)) all.push_back(pointer + ": " + keyword);
    } else if (keyword == "items") {
      for (std::size_t i = 0; value.is_array() && i < value.size(); ++i)
        append(all, schema_violations(rule, value[i], pointer + "/" + std::to_string(i)));
    } else if (keyword == "allOf") {
      for (const OrderedJson& one : rule) append(all, schema_violations(one, value, pointer));
    } else if (keyword == "if") {
      if (is_valid(rule, value))
        append(all, schema_violations(schema.at("then"), value, pointer));
      else if (schema.contains("else"))
        append(all, schema_violations(schema["else"], value, pointer));
    } else if (keyword != "properties" && keyword != "additionalProperties" && keyword != "then" &&
               keyword != "else" && keyword != "description" && keyword != "default" &&
               keyword != "$schema" && keyword != "title") {
      throw std::logic_error("unknown keyword " + keyword);
    }
  }
  if (value.is_object()) check_members(schema, value, pointer, all);
  return all;
}

}  // namespace tune::tests

#include "trainer/loop/hyperparameters.h"

#include <algorithm>
#include <cmath>

#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"

namespace tune::trainer::loop {
namespace {

[[noreturn]] void reject(const std::string& name, const Json& value, const std::string& wanted) {
  throw Error(ExitCode::kBadSpec, "hyperparameter \"" + name + "\" is " + value.dump(),
              "it must be " + wanted);
}

std::string range_text(const Hyperparameter& row) {
  return (row.type == HyperparameterType::kInt ? "a whole number from " : "a number from ") +
         shortest(row.min) + " to " + shortest(row.max);
}

Json checked_number(const Hyperparameter& row, const Json& value) {
  if (!value.is_number()) reject(row.name, value, range_text(row));
  const double number = value.get<double>();
  const bool whole = row.type != HyperparameterType::kInt || std::nearbyint(number) == number;
  if (!(number >= row.min && number <= row.max) || !whole) reject(row.name, value, range_text(row));
  if (row.type == HyperparameterType::kInt) return static_cast<std::int64_t>(number);
  return number;
}

// The value in the type that the table says, or an error.
Json checked(const Hyperparameter& row, const Json& value) {
  switch (row.type) {
    case HyperparameterType::kFloat:
    case HyperparameterType::kInt:
      return checked_number(row, value);
    case HyperparameterType::kBool:
      if (!value.is_boolean()) reject(row.name, value, "true or false");
      return value;
    case HyperparameterType::kText:
      if (!value.is_string()) reject(row.name, value, "text");
      return value;
    case HyperparameterType::kJson:
      return value;
    case HyperparameterType::kCategorical:
      if (!value.is_string() ||
          std::find(row.values.begin(), row.values.end(), value.get<std::string>()) == row.values.end())
        reject(row.name, value, "one of " + Json(row.values).dump());
      return value;
  }
  broken_invariant("a known type", __FILE__, __LINE__, row.name);
}

const Json& at(const std::map<std::string, Json>& values, const std::string& name) {
  const auto found = values.find(name);
  TUNE_CHECK(found != values.end(), name);
  return found->second;
}

}  // namespace

Hyperparameter real(std::string name, double value, double min, double max, std::string scale,
                    std::string description) {
  return {std::move(name),       HyperparameterType::kFloat, value, min, max, std::move(scale), {},
          std::move(description)};
}

Hyperparameter whole(std::string name, int value, double min, double max, std::string scale,
                     std::string description) {
  return {std::move(name),       HyperparameterType::kInt, value, min, max, std::move(scale), {},
          std::move(description)};
}

Hyperparameter choice(std::string name, std::vector<std::string> values, std::string description) {
  const std::string first = values.front();
  return {std::move(name),       HyperparameterType::kCategorical, first, 0, 0, "", std::move(values),
          std::move(description)};
}

Hyperparameter flag(std::string name, bool value, std::string description) {
  return {std::move(name), HyperparameterType::kBool, value, 0, 0, "", {}, std::move(description)};
}

Hyperparameter text(std::string name, std::string value, std::string description) {
  return {std::move(name), HyperparameterType::kText, std::move(value), 0, 0, "", {}, std::move(description)};
}

Hyperparameter json_value(std::string name, std::string description) {
  return {std::move(name), HyperparameterType::kJson, Json(), 0, 0, "", {}, std::move(description)};
}

Hyperparameter weighty(Hyperparameter row) {
  row.weighs = true;
  return row;
}

Hyperparameter parted(Hyperparameter row, std::int64_t least_part) {
  row.least_part = least_part;
  return row;
}

Hyperparameters::Hyperparameters(const std::vector<Hyperparameter>& table, const Json& given) {
  for (const Hyperparameter& row : table) values_[row.name] = row.default_value;
  for (const auto& [name, value] : given.items()) {
    const auto row =
        std::find_if(table.begin(), table.end(), [&](const Hyperparameter& r) { return r.name == name; });
    if (row == table.end()) {
      std::vector<std::string> names;
      for (const Hyperparameter& known : table) names.push_back(known.name);
      throw Error(ExitCode::kBadSpec, "unknown hyperparameter \"" + name + "\"",
                  name_hint(name, names, "hyperparameters"));
    }
    values_[name] = checked(*row, value);
    given_.insert(name);
    if (values_[name] != row->default_value) changed_.insert(name);
  }
}

double Hyperparameters::number(const std::string& name) const { return at(values_, name).get<double>(); }
std::int64_t Hyperparameters::integer(const std::string& name) const {
  return at(values_, name).get<std::int64_t>();
}
bool Hyperparameters::flag(const std::string& name) const { return at(values_, name).get<bool>(); }
bool Hyperparameters::given(const std::string& name) const { return given_.contains(name); }
const std::string& Hyperparameters::text(const std::string& name) const {
  return at(values_, name).get_ref<const std::string&>();
}

std::string type_name(HyperparameterType type) {
  switch (type) {
    case HyperparameterType::kFloat:
      return "float";
    case HyperparameterType::kInt:
      return "int";
    case HyperparameterType::kCategorical:
      return "categorical";
    case HyperparameterType::kText:
      return "text";
    case HyperparameterType::kBool:
      return "bool";
    case HyperparameterType::kJson:
      return "json";
  }
  broken_invariant("a known type", __FILE__, __LINE__);
}

OrderedJson describe(const Hyperparameter& row) {
  OrderedJson json{{"name", row.name}, {"type", type_name(row.type)}, {"default", row.default_value}};
  if (row.type == HyperparameterType::kFloat || row.type == HyperparameterType::kInt) {
    json["min"] =
        row.type == HyperparameterType::kInt ? Json(static_cast<std::int64_t>(row.min)) : Json(row.min);
    json["max"] =
        row.type == HyperparameterType::kInt ? Json(static_cast<std::int64_t>(row.max)) : Json(row.max);
    json["scale"] = row.scale;
  }
  if (row.type == HyperparameterType::kCategorical) json["values"] = row.values;
  json["description"] = row.description;
  if (row.weighs) json["weighs"] = true;
  if (row.least_part > 0) json["least_part"] = row.least_part;
  return json;
}

}  // namespace tune::trainer::loop

#pragma once
// Every key of the spec, once: what spec_reader checks and what spec_schema prints.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tuner/core/json.h"

namespace tune {

enum class ValueKind {
  kText,
  kNumber,
  kInteger,
  kDuration,     // a text such as "20m"
  kObject,       // the keys of `object`
  kMap,          // names of the user's own, values as `item` says
  kArray,        // values as `item` says
  kEnvironment,  // a text, or {"from_env": NAME}
  kAny,
};

// What a text must look like. `pattern` is for the schema; `accepts` decides, and a test holds the two
// together.
struct TextRule {
  std::string_view pattern;
  bool (*accepts)(std::string_view text);
  std::string_view says;  // "must start with a letter ..."
};

struct ObjectTable;

struct KeyRule {
  std::string_view name;
  ValueKind kind = ValueKind::kAny;
  std::string_view description = {};
  bool required = false;
  std::string_view default_json = {};          // as JSON; empty: no default
  std::vector<std::string_view> choices = {};  // texts: the valid ones
  std::vector<std::pair<std::string_view, std::string_view>> foreign =
      {};                                            // other tools' words and their cure
  std::optional<double> minimum = {}, maximum = {};  // numbers, inclusive
  std::string_view word = {};                        // of a number: the one text that may stand in its place
  std::size_t least_items = 0;                       // arrays and maps
  std::optional<std::size_t> most_items = {};        // arrays and maps
  const TextRule* text = nullptr;                    // texts, and the items of an array of texts
  const TextRule* member_name = nullptr;             // maps
  const ObjectTable* object = nullptr;               // objects, and the items of maps and arrays of objects
  ValueKind item = ValueKind::kAny;                  // maps and arrays
  bool later = false;                                // an agreed key that this version does not have yet
  std::vector<std::string_view> applies_to = {};     // of a parameter: the types that have it; empty: all
};

struct ObjectTable {
  std::vector<KeyRule> keys;
  bool is_open = false;  // other keys are somebody else's to check
};

// The limits that end a study: it has at least one of them.
inline constexpr std::array<const char*, 4> kEndingLimits{"trials", "time", "gpu_hours", "cost_usd"};

// Each trial at once takes a process, files and memory: more than this is a slip of the pen.
inline constexpr int kMostParallel = 4096;
// The strategies' models and the checks of conditions grow with the square of the parameters.
inline constexpr int kMostParameters = 1000;

// The whole document.
const ObjectTable& spec_table();
// promote.require, which may be a file of its own too.
const ObjectTable& requirement_table();

// The row of a key, nullptr when there is none.
const KeyRule* find_key(const ObjectTable& table, std::string_view name);
// The largest value of a kInteger: its maximum, else 2^31 - 1.
double largest_integer(const KeyRule& key);
// Names of the keys that this version has.
std::vector<std::string> key_names(const ObjectTable& table);
std::vector<std::string> to_strings(const std::vector<std::string_view>& names);

// The JSON Schema (draft 07) of an object with these keys.
inline constexpr const char* kSchemaDraft = "http://json-schema.org/draft-07/schema#";
OrderedJson object_schema(const ObjectTable& table);
// Adds to a search's schema that one of its limits ends it.
void require_an_end(OrderedJson& search);

}  // namespace tune

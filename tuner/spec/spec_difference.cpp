// Whether two specs ask for the same search.
#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

#include "tuner/core/clock.h"
#include "tuner/core/json_positions.h"
#include "tuner/spec/spec.h"
#include "tuner/spec/spec_keys.h"

namespace tune {
namespace {

void normalize_object(Json& object, const ObjectTable& table);

// Other ways to write the same become one way. What the table does not understand stays as it is.
void normalize_value(Json& value, const KeyRule& key, ValueKind kind) {
  if (kind == ValueKind::kDuration && value.is_string()) {
    try {
      value = std::to_string(parse_duration(value.get<std::string>()).count()) + "ms";
    } catch (const std::invalid_argument&) {
      return;
    }
  }
  if (kind == ValueKind::kObject && value.is_object()) normalize_object(value, *key.object);
  if ((kind == ValueKind::kMap || kind == ValueKind::kArray) && key.item == ValueKind::kObject &&
      value.is_structured())
    for (Json& item : value) normalize_value(item, key, key.item);
}

bool applies(const KeyRule& key, const Json& object) {
  return key.applies_to.empty() || std::find(key.applies_to.begin(), key.applies_to.end(),
                                             object.value("type", "")) != key.applies_to.end();
}

// Defaults are written out, in sections that are absent too.
void normalize_object(Json& object, const ObjectTable& table) {
  for (const KeyRule& key : table.keys) {
    if (key.later || !applies(key, object)) continue;
    const std::string name(key.name);
    if (!object.contains(name) && !key.default_json.empty()) object[name] = Json::parse(key.default_json);
    if (!object.contains(name) && key.kind == ValueKind::kObject && !key.required) {
      Json section = Json::object();
      normalize_object(section, *key.object);
      if (!section.empty()) object[name] = std::move(section);
    } else if (object.contains(name)) {
      normalize_value(object[name], key, key.kind);
    }
  }
}

Json normalized(Json document) {
  if (!document.is_object()) return document;
  document.erase("$schema");
  normalize_object(document, spec_table());
  return document;
}

std::string shown(const Json* value) {
  return value == nullptr ? "(absent)" : value->dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json* member(const Json& object, const std::string& name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

// What may change in a study that has begun: when it ends, what it costs, where its best model goes, which
// losers are stopped from now on, what is tried again, what is repeated at its end, and how the machine is
// shared. gpus_per_trial and nodes_per_trial are not among them, since a program on two devices may train
// otherwise than on one.
bool is_harmless(const std::string& pointer) {
  if (pointer == "/runner/nodes_per_trial") return false;
  constexpr std::array<std::string_view, 9> kHarmless{
      "/limits", "/cost",       "/promote", "/early_stopping",          "/notify",
      "/retry",  "/replicates", "/runner",  "/resources/trials_per_gpu"};
  return std::any_of(kHarmless.begin(), kHarmless.end(), [&](std::string_view place) {
    return pointer.starts_with(place) && (pointer.size() == place.size() || pointer[place.size()] == '/');
  });
}

// Compares normalized values, and shows what was written.
class DocumentComparison {
 public:
  void compare(const Json* before, const Json* after, const Json* old_written, const Json* new_written,
               const std::string& pointer) {
    if (before != nullptr && after != nullptr && *before == *after) return;
    if (before == nullptr || after == nullptr || !before->is_object() || !after->is_object()) {
      changes_.push_back({pointer,
                          pointer + ": " + shown(old_written != nullptr ? old_written : before) + " -> " +
                              shown(new_written != nullptr ? new_written : after),
                          is_harmless(pointer)});
      return;
    }
    std::set<std::string> names;
    for (const Json* object : {before, after})
      for (const auto& item : object->items()) names.insert(item.key());
    const auto written = [](const Json* object, const std::string& name) {
      return object != nullptr && object->is_object() ? member(*object, name) : nullptr;
    };
    for (const std::string& name : names) {
      const Json *a = member(*before, name), *b = member(*after, name);
      if (a != nullptr || b != nullptr)
        compare(a, b, written(old_written, name), written(new_written, name), member_pointer(pointer, name));
    }
  }
  std::vector<SpecChange> take_changes() { return std::move(changes_); }

 private:
  std::vector<SpecChange> changes_;
};

}  // namespace

std::vector<SpecChange> spec_changes(const Json& old_document, const Json& new_document) {
  const Json before = normalized(old_document), after = normalized(new_document);
  DocumentComparison comparison;
  comparison.compare(&before, &after, &old_document, &new_document, "");
  return comparison.take_changes();
}

std::vector<std::string> spec_difference(const Json& old_document, const Json& new_document) {
  std::vector<std::string> lines;
  for (SpecChange& change : spec_changes(old_document, new_document)) lines.push_back(std::move(change.line));
  return lines;
}

}  // namespace tune

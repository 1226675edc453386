#pragma once
// A valid spec to change one thing of.
#include <string>

#include "tuner/core/spec.h"

namespace tune::test {

inline OrderedJson valid_document() {
  return OrderedJson::parse(R"json({
    "study": "s",
    "objective": { "metric": "accuracy", "goal": "maximize" },
    "parameters": {
      "lr": { "type": "float", "min": 0.001, "max": 0.1, "scale": "log" },
      "optimizer": { "type": "categorical", "values": ["sgd", "adam"] }
    },
    "command": ["python3", "train.py", "--lr={{lr}}", "--optimizer={{optimizer}}"],
    "metrics": [ { "name": "accuracy", "regex": "accuracy=([0-9.]+)" } ],
    "limits": {
  "trials" : 3
}
})json");
}

// The valid spec with the value at `pointer` replaced by `json`, or removed where that is "".
inline std::string changed(const std::string& pointer, const std::string& json) {
  OrderedJson document = valid_document();
  const OrderedJson::json_pointer place(pointer);
  if (json.empty())
    document.at(place.parent_pointer()).erase(place.back());
  else
    document[place] = OrderedJson::parse(json);
  return document.dump(1);
}

inline Spec parse(const std::string& text, SpecUse use = SpecUse::kRun) {
  return parse_spec(text, "s.json", "/folder", use);
}

// All problems of a text as lines "pointer: message | hint".
inline std::string problems_of(const std::string& text, SpecUse use = SpecUse::kRun) {
  try {
    parse(text, use);
  } catch (const SpecError& error) {
    std::string lines;
    for (const Problem& problem : error.problems())
      lines += problem.pointer + ": " + problem.message + " | " + problem.hint + "\n";
    return lines;
  }
  return "";
}

}  // namespace tune::test

#pragma once
// Valid specs to change one thing of.
#include <string>

#include "tuner/spec/spec.h"

namespace tune::tests {

// Every section and nearly every key.
inline const std::string kFull = R"json({
  "$schema": "spec.schema.json",
  "study": "steel-legacy",
  "objective": { "metric": "validation:mAP", "goal": "maximize", "reduce": "last" },
  "parameters": {
    "learning_rate": { "type": "float", "min": 1e-4, "max": 1e-2, "scale": "log" },
    "momentum":      { "type": "float", "min": 0.8,  "max": 0.99, "scale": "reverse_log" },
    "decay":         { "type": "float", "min": 1e-6, "max": 1e-2, "scale": "auto", "levels": 4 },
    "warmup":        { "type": "float", "min": 1, "max": 50, "scale": "auto" },
    "dropout":       { "type": "float", "min": 0, "max": 0.5, "step": 0.1 },
    "batch_size":    { "type": "int",   "min": 8,    "max": 32,   "step": 8 },
    "lora.r":        { "type": "int",   "min": 1e0,  "max": 64,   "scale": "log" },
    "optimizer":     { "type": "categorical", "values": ["sgd", "adam", {"name": "lamb", "k": [1]}] },
    "nesterov":      { "type": "categorical", "values": [true, false], "when": { "optimizer": ["sgd"], "batch_size": [8, 16] } } },
  "fixed":    { "epochs": 20, "lora.alpha": 16, "note": null },
  "command":  ["bash", "-c", "exec ./train \"$@\"", "bash", "--lr={{learning_rate}}", "{{epochs}}", "--out={{output_dir}}", "{{trial_file}}"],
  "environment": { "HF_TOKEN": { "from_env": "MY_TOKEN" }, "MODE": "fast" },
  "metrics":  [ { "name": "validation:mAP", "regex": "mAP=([0-9.]+)",
                  "step" : "epoch=([0-9]+)"
}, { "name": "loss" } ],
  "strategy": { "name": "bayesian", "seed": 9007199254740991,
                "try_first": [ { "learning_rate": 0.001 }, { "optimizer": "sgd", "batch_size": 8, "nesterov": true } ] },
  "early_stopping": { "rule": "median", "min_trials": 4, "start_step": 2 },
  "limits":   { "trials": 20, "parallel": 4, "time": "2h", "trial_time": "1h30m" },
  "resources":{ "gpus_per_trial": 2, "trials_per_gpu": 3 },
  "cost":     { "usd_per_hour": 3.06 },
  "promote":  {
  "model" : "steel-detector"
}
})json";

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

}  // namespace tune::tests

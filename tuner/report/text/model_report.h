#pragma once
// The registry as people and programs read it. Pure functions of stored rows.
#include <string>
#include <vector>

#include "store/model_registry.h"

namespace tune::report {

struct ModelRows {
  std::string model;
  int current = 0;                            // what the alias `current` names; 0: nothing
  std::vector<store::ModelVersion> versions;  // newest first
  std::vector<store::ModelAlias> aliases;     // by name
  std::vector<store::Promotion> promotions;   // oldest first
  std::vector<store::Remark> remarks;         // oldest first
};
ModelRows read_model(const store::ModelRegistry& registry, const std::string& model);

std::string models_text(const std::vector<ModelRows>& models, int width);
Json models_json(const std::vector<ModelRows>& models);
// Versions, the lineage of the current one, the log of promotions; `folder` is where the current version
// lies.
std::string model_text(const ModelRows& model, const std::string& folder, int width);
Json model_json(const ModelRows& model);

// One version of the model, whole: aliases, approval, what was said of it, its part of the log, its lineage
// and its files; `folder` is where they lie.
std::string version_text(const ModelRows& model, const store::ModelVersion& version,
                         const std::string& folder, int width);
Json version_json(const ModelRows& model, const store::ModelVersion& version, const std::string& folder);

// A line for each thing that is known of where a version comes from, but for the machine and what was
// measured on it, which are for programs.
std::string lineage_text(const Json& lineage);

// "steel-legacy/7"; "brought along" of what no study made.
std::string origin_text(const store::ModelVersion& version);

}  // namespace tune::report

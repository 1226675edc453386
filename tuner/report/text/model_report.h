#pragma once
// The registry as people and programs read it. Pure functions of stored rows.
#include <string>
#include <vector>

#include "store/model_registry.h"

namespace tune::report {

struct ModelRows {
  std::string model;
  int current = 0;                            // 0: none
  std::vector<store::ModelVersion> versions;  // newest first
  std::vector<store::Promotion> promotions;   // oldest first
};
ModelRows read_model(const store::ModelRegistry& registry, const std::string& model);

std::string models_text(const std::vector<ModelRows>& models, int width);
Json models_json(const std::vector<ModelRows>& models);
// Versions, the lineage of the current one, the log of promotions; `folder` is where the current version
// lies.
std::string model_text(const ModelRows& model, const std::string& folder, int width);
Json model_json(const ModelRows& model);

}  // namespace tune::report

#pragma once
// A whole study as one document: what was searched, what came out, what it cost. Pure functions of stored
// rows.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/space.h"
#include "tuner/report/numbers/study_rows.h"
#include "tuner/report/page/document.h"

namespace tune::report {

// How much each hyperparameter matters, as a caller that has the mathematics computed it.
struct ImportanceRows {
  std::size_t trials = 0;                              // that it was computed from
  std::string objection;                               // why there are no shares; else empty
  std::vector<std::pair<std::string, double>> shares;  // the most important first
  double interactions = 0;
};

// A version of a model that was made of one of the study's trials.
struct PromotedVersion {
  std::string model;
  int version = 0, trial = 0;
  std::string reason;  // of the promotion; empty when it was never made current
  bool is_current = false;
};

// Everything that the document is made of.
struct StudyMaterial {
  StudyRows rows;
  std::map<int, std::vector<MetricPoint>> curves;  // the objective's, by trial; none is empty
  std::optional<SearchSpace> space;                // nullopt: this version cannot read the stored spec
  ImportanceRows importance;
  std::optional<ImportanceRows> second_importance;  // by the second objective, where there are two
  std::vector<PromotedVersion> promoted;
  Json model = nullptr;  // what the best trial's model.json says; null without one
  std::string version;   // of the program
  WallTime made{};
};

std::vector<Chart> history_charts(const StudyMaterial& material);  // one an objective
// Of two objectives: the first against the second; none before a trial is on the front.
std::vector<Chart> front_charts(const StudyMaterial& material);
std::vector<Chart> cost_charts(const StudyMaterial& material);
std::vector<Chart> curve_charts(const StudyMaterial& material);
std::vector<Chart> slice_charts(const StudyMaterial& material);  // one a parameter of the space and objective

Json importance_json(const ImportanceRows& importance);

Document study_document(const StudyMaterial& material);
// The same for programs; curves of more than 1000 points are thinned, and say so.
Json study_document_json(const StudyMaterial& material);

}  // namespace tune::report

#pragma once
// A whole comparison as one document: scores, verdicts, cost, classes, confusion, and what each approach
// finds in the same test images.
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/compare/comparison_report.h"
#include "tuner/compare/example_pictures.h"
#include "tuner/report/page/document.h"

namespace tune::compare {

struct ClassScore {
  std::string name;
  std::int64_t count = 0;        // of its objects, or where the task counts images of those
  double score = 0, second = 0;  // -1 where there is none
};

// How good the models are that a row's score is made of: all of its runs, or the chosen one of several seeds.
struct RowQuality {
  std::vector<ClassScore> classes;                   // means over the models
  std::vector<std::vector<std::int64_t>> confusion;  // sums over them; empty where the scoring holds none
  std::optional<int> pictured;                       // the model whose answers are shown
  std::vector<MetricPoint> curve;                    // its validation while it was trained
};

// Everything that the document is made of.
struct ComparisonMaterial {
  ComparisonReport report;
  std::vector<std::string> classes;     // of the test images
  std::vector<std::string> confusable;  // what the confusion's rows and columns stand for
  bool counts_objects = true;           // else each image is of a class, and counts
  double score = 0, overlap = 0;        // of the confusion, and of the boxes that are drawn
  std::vector<RowQuality> rows;         // as report.rows
  std::vector<ExampleImage> examples;
  std::map<int, std::string> unreadable;  // by model: why its detections are not there
  std::string version;                    // of the program
  WallTime made{};
};

// Out of the store and the files of a scoring:
// STORE/comparisons/NAME/scorings/K/{model-N.json,images/ID.EXT}. What is missing or damaged there is said in
// the material, and ends nothing.
ComparisonMaterial read_comparison_material(const std::filesystem::path& store, const Comparison& comparison,
                                            const store::ComparisonStore& record);

// Positions of the scored rows that no other one beats in both cost and test score, cheapest first.
std::vector<std::size_t> pareto_rows(const ComparisonReport& report);
// Test scores against the cost of each row; none before there are any.
std::vector<report::Chart> comparison_charts(const ComparisonMaterial& material);

// Validation by step of each row's run with the best validation: a chart for each metric.
std::vector<report::Chart> comparison_curves(const ComparisonMaterial& material);

report::Document comparison_document(const ComparisonMaterial& material);
// The same for programs: comparison_json() with classes, confusion and examples.
Json comparison_document_json(const ComparisonMaterial& material);

}  // namespace tune::compare

#pragma once
// Predictions beside the truth, example by example: what `tune-train score` counts.
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "trainer/metrics/classification_quality.h"
#include "trainer/tasks/classification/data/predictions.h"

namespace tune::trainer::classification {

struct ScoredExamples {
  Items items;
  std::string place;                 // the file or folder, for messages
  std::string form;                  // what it was recognised as
  std::vector<std::string> classes;  // those of the data, then those that only predictions name
  bool multi_label = false;
  std::vector<std::string> names;      // ascending, byte by byte
  std::vector<metrics::Labels> truth;  // of each example
  std::vector<std::string> warnings;
};

// Out of a file of labels as read_predictions() reads it: the examples need not be there.
ScoredExamples scored_examples(const Predictions& labels, const Items& items, const std::string& place);

// Takes in the classes that predictions name and the truth does not, and warns of those that the truth shows
// and the predictions cannot say.
void add_classes(const Predictions& predictions, const std::string& file, ScoredExamples& examples);

// One file of predictions, in the order of the examples and by their classes.
struct MatchedPredictions {
  std::string file;
  std::vector<metrics::Labels> labels;
  std::optional<metrics::ClassScores> probabilities;
};

// Once add_classes() has seen every file. Classes that the predictions do not name have the probability 0.
// Predictions of examples `elsewhere` are passed over. Throws Error(kBadData) for a prediction of one that
// nobody has, and for an example without a prediction.
MatchedPredictions match(const Predictions& predictions, const std::string& file,
                         const ScoredExamples& examples, const std::set<std::string>& elsewhere = {});

// The key "groups" of a JSON object, as `tune-train audit --json` prints it: lists of examples by name, or by
// their place in the order of names, from 1. Those that it does not name are groups of their own; those that
// are not scored are passed over, but not all of them. Each group holds indices of examples. Throws
// Error(kBadData), for an example in two groups too.
std::vector<std::vector<std::uint32_t>> read_groups(const std::filesystem::path& file,
                                                    const ScoredExamples& examples);
std::vector<std::vector<std::uint32_t>> every_one_alone(const ScoredExamples& examples);

}  // namespace tune::trainer::classification

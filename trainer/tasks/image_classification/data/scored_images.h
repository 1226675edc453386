#pragma once
// Predictions beside the truth, image by image: what `tune-train score` counts.
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "trainer/metrics/classification_quality.h"
#include "trainer/tasks/image_classification/data/dataset.h"
#include "trainer/tasks/image_classification/data/predictions.h"

namespace tune::trainer::image_classification {

struct ScoredImages {
  std::string place;                 // the file or folder, for messages
  std::string form;                  // what it was recognised as
  std::vector<std::string> classes;  // those of the data, then those that only predictions name
  bool multi_label = false;
  std::vector<std::string> names;            // ascending, byte by byte
  std::vector<std::filesystem::path> files;  // of the images; empty where labels came without them
  std::vector<metrics::Labels> truth;        // of each image
  std::vector<std::string> warnings;
};

ScoredImages scored_images(const Dataset& dataset, const std::string& place);
// Out of a file of labels as read_predictions() reads it: the images need not be there. With `classes`, those
// of a model, the labels are some of these, in their order: Error(kBadData) for another.
ScoredImages scored_images(const Predictions& labels, const std::string& place,
                           const std::vector<std::string>& classes = {});

// Takes in the classes that predictions name and the truth does not, and warns of those that the truth shows
// and the predictions cannot say.
void add_classes(const Predictions& predictions, const std::string& file, ScoredImages& images);

// One file of predictions, in the order of the images and by their classes.
struct MatchedPredictions {
  std::string file;
  std::vector<metrics::Labels> labels;
  std::optional<metrics::ClassScores> probabilities;
};

// Once add_classes() has seen every file. Classes that the predictions do not name have the probability 0.
// Predictions of images `elsewhere` are passed over. Throws Error(kBadData) for a prediction of an image that
// nobody has, and for an image without a prediction.
MatchedPredictions match(const Predictions& predictions, const std::string& file, const ScoredImages& images,
                         const std::set<std::string>& elsewhere = {});

// The key "groups" of a JSON object, as `tune-train audit --json` prints it: lists of images by name, or by
// their place in the order of names, from 1. Images that it does not name are groups of their own; images
// that are not scored are passed over, but not all of them. Each group holds indices of images. Throws
// Error(kBadData), for an image in two groups too.
std::vector<std::vector<std::uint32_t>> read_groups(const std::filesystem::path& file,
                                                    const ScoredImages& images);
std::vector<std::vector<std::uint32_t>> every_image_alone(const ScoredImages& images);

}  // namespace tune::trainer::image_classification

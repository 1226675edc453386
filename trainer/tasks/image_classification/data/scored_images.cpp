#include "trainer/tasks/image_classification/data/scored_images.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "trainer/data/part_names.h"
#include "trainer/data/text_file.h"
#include "trainer/data/written_values.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::image_classification {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

std::size_t place_of(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? kNowhere : static_cast<std::size_t>(found - names.begin());
}

std::size_t image_of(const ScoredImages& images, const std::string& name) {
  const auto found = std::lower_bound(images.names.begin(), images.names.end(), name);
  return found == images.names.end() || *found != name
             ? kNowhere
             : static_cast<std::size_t>(found - images.names.begin());
}

// Where each class of the predictions stands among those of the images.
std::vector<int> places_of_classes(const Predictions& predictions, const ScoredImages& images) {
  std::vector<int> places;
  for (const std::string& name : predictions.classes) {
    const std::size_t place = place_of(images.classes, name);
    TUNE_CHECK(place != kNowhere, name);
    places.push_back(static_cast<int>(place));
  }
  return places;
}

// Labels by the images' classes in place of those of the predictions.
metrics::Labels labels_at_places(const metrics::Labels& labels, const std::vector<int>& places) {
  metrics::Labels placed;
  for (const int label : labels) placed.push_back(places[static_cast<std::size_t>(label)]);
  std::sort(placed.begin(), placed.end());
  return placed;
}

// The prediction of each image.
std::vector<std::size_t> predictions_by_image(const Predictions& predictions, const std::string& file,
                                              const ScoredImages& images,
                                              const std::set<std::string>& elsewhere) {
  std::vector<std::size_t> by_image(images.names.size(), kNowhere);
  for (std::size_t p = 0; p < predictions.images.size(); ++p) {
    const std::size_t image = image_of(images, predictions.images[p]);
    if (image != kNowhere)
      by_image[image] = p;
    else if (!elsewhere.contains(predictions.images[p]))
      throw Error(ExitCode::kBadData,
                  file + ": the image " + in_quotes(predictions.images[p]) + " is none of " + images.place,
                  "Images are named as in the data: " + in_quotes(images.names.front()) + " for one.");
  }
  const auto without = std::find(by_image.begin(), by_image.end(), kNowhere);
  if (without == by_image.end()) return by_image;
  const auto count = static_cast<std::size_t>(std::count(by_image.begin(), by_image.end(), kNowhere));
  throw Error(ExitCode::kBadData,
              file + ": there is no prediction of " + plural_text(count, "image") + " of " + images.place +
                  ", " + in_quotes(images.names[static_cast<std::size_t>(without - by_image.begin())]) +
                  " for one",
              "Predict all of them; --part scores a part of the data.");
}

// Reads groups of images; lives for one call.
class GroupReader {
 public:
  GroupReader(const fs::path& file, const ScoredImages& images)
      : file_(file), images_(images), named_(images.names.size(), false) {}

  std::vector<std::vector<std::uint32_t>> read() {
    const Json json = data::read_json(file_);
    if (!json.is_object() || !json.contains("groups") || !json["groups"].is_array())
      throw Error(ExitCode::kBadData, file_.string() + " holds no list \"groups\"", kHint);
    for (const Json& list : json["groups"]) read_group(list);
    if (met_ > 0 && known_ == 0)
      throw Error(ExitCode::kBadData, file_.string() + ": none of its images is in " + images_.place,
                  "Make the groups from the same data.");
    for (std::size_t i = 0; i < named_.size(); ++i)
      if (!named_[i]) groups_.push_back({static_cast<std::uint32_t>(i)});
    return std::move(groups_);
  }

 private:
  static constexpr const char* kHint =
      "It needs \"groups\": [[image, ...], ...], as `tune-train audit --json` prints.";

  void read_group(const Json& list) {
    const std::string where = file_.string() + ", groups[" + std::to_string(read_++) + "]";
    if (!list.is_array()) throw Error(ExitCode::kBadData, where + " is no list of images", kHint);
    std::vector<std::uint32_t> group;
    for (const Json& image : list) {
      ++met_;
      const std::size_t place = place_in(image, where);
      if (place == kNowhere) continue;
      if (named_[place])
        throw Error(ExitCode::kBadData, where + ": the image " + image.dump() + " appears twice",
                    "An image belongs to one group.");
      named_[place] = true;
      ++known_;
      group.push_back(static_cast<std::uint32_t>(place));
    }
    if (!group.empty()) groups_.push_back(std::move(group));
  }

  std::size_t place_in(const Json& image, const std::string& where) const {
    if (image.is_string()) return image_of(images_, image.get<std::string>());
    const std::optional<std::int64_t> number = data::whole_number(image);
    if (!number)
      throw Error(ExitCode::kBadData,
                  where + ": " + image.dump() + " is neither the name of an image nor its number", kHint);
    const bool is_there = *number >= 1 && *number <= static_cast<std::int64_t>(images_.names.size());
    return is_there ? static_cast<std::size_t>(*number - 1) : kNowhere;
  }

  const fs::path& file_;
  const ScoredImages& images_;
  std::vector<bool> named_;
  std::vector<std::vector<std::uint32_t>> groups_;
  std::size_t read_ = 0, met_ = 0, known_ = 0;
};

}  // namespace

ScoredImages scored_images(const Dataset& dataset, const std::string& place) {
  ScoredImages images{place, dataset.form, dataset.classes, dataset.multi_label, {},
                      {},    {},           dataset.warnings};
  for (const Example& example : dataset.examples) {
    images.names.push_back(example.name);
    images.files.push_back(example.image);
    images.truth.push_back(example.labels);
  }
  return images;
}

ScoredImages scored_images(const Predictions& labels, const std::string& place,
                           const std::vector<std::string>& classes) {
  ScoredImages images{place, "a table of labels", classes, labels.multi_label, {}, {}, {}, {}};
  if (classes.empty()) images.classes = labels.classes;
  for (const std::string& name : labels.classes)
    if (place_of(images.classes, name) == kNowhere)
      throw Error(
          ExitCode::kBadData,
          place + ": the class " + in_quotes(name) + " is none of the labels: " + data::listed_names(classes),
          "--labels names a model that knows the classes of the data.");
  const std::vector<int> places = places_of_classes(labels, images);
  std::vector<std::size_t> order(labels.images.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return labels.images[a] < labels.images[b]; });
  for (const std::size_t i : order) {
    images.names.push_back(labels.images[i]);
    images.truth.push_back(labels_at_places(labels.labels[i], places));
  }
  return images;
}

void add_classes(const Predictions& predictions, const std::string& file, ScoredImages& images) {
  std::vector<bool> is_shown(images.classes.size(), false);
  for (const metrics::Labels& labels : images.truth)
    for (const int label : labels) is_shown[static_cast<std::size_t>(label)] = true;
  for (std::size_t c = 0; c < images.classes.size(); ++c)
    if (is_shown[c] && place_of(predictions.classes, images.classes[c]) == kNowhere)
      images.warnings.push_back(file + " does not name the class " + in_quotes(images.classes[c]) + " of " +
                                images.place + ", whose images count as wrong");
  for (const std::string& name : predictions.classes)
    if (place_of(images.classes, name) == kNowhere) images.classes.push_back(name);
}

MatchedPredictions match(const Predictions& predictions, const std::string& file, const ScoredImages& images,
                         const std::set<std::string>& elsewhere) {
  TUNE_CHECK(predictions.multi_label == images.multi_label);
  const std::vector<int> places = places_of_classes(predictions, images);
  const std::size_t own = predictions.classes.size(), all = images.classes.size();
  MatchedPredictions matched{file, {}, std::nullopt};
  std::vector<double> probabilities;
  for (const std::size_t p : predictions_by_image(predictions, file, images, elsewhere)) {
    matched.labels.push_back(labels_at_places(predictions.labels[p], places));
    if (predictions.probabilities.empty()) continue;
    const std::size_t row = probabilities.size();
    probabilities.resize(row + all, 0.0);
    for (std::size_t c = 0; c < own; ++c)
      probabilities[row + static_cast<std::size_t>(places[c])] = predictions.probabilities[p * own + c];
  }
  if (!predictions.probabilities.empty()) matched.probabilities.emplace(all, std::move(probabilities));
  return matched;
}

std::vector<std::vector<std::uint32_t>> read_groups(const fs::path& file, const ScoredImages& images) {
  return GroupReader(file, images).read();
}

std::vector<std::vector<std::uint32_t>> every_image_alone(const ScoredImages& images) {
  std::vector<std::vector<std::uint32_t>> groups;
  for (std::size_t i = 0; i < images.names.size(); ++i) groups.push_back({static_cast<std::uint32_t>(i)});
  return groups;
}

}  // namespace tune::trainer::image_classification

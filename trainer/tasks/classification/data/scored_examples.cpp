#include "trainer/tasks/classification/data/scored_examples.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "trainer/data/text_file.h"
#include "trainer/data/written_values.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::classification {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

std::size_t place_of(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? kNowhere : static_cast<std::size_t>(found - names.begin());
}

std::size_t index_of(const ScoredExamples& examples, const std::string& name) {
  const auto found = std::lower_bound(examples.names.begin(), examples.names.end(), name);
  return found == examples.names.end() || *found != name
             ? kNowhere
             : static_cast<std::size_t>(found - examples.names.begin());
}

// Where each class of the predictions stands among those of the examples.
std::vector<int> places_of_classes(const Predictions& predictions, const ScoredExamples& examples) {
  std::vector<int> places;
  for (const std::string& name : predictions.classes) {
    const std::size_t place = place_of(examples.classes, name);
    TUNE_CHECK(place != kNowhere, name);
    places.push_back(static_cast<int>(place));
  }
  return places;
}

// The prediction of each example.
std::vector<std::size_t> predictions_by_example(const Predictions& predictions, const std::string& file,
                                                const ScoredExamples& examples,
                                                const std::set<std::string>& elsewhere) {
  std::vector<std::size_t> by_example(examples.names.size(), kNowhere);
  for (std::size_t p = 0; p < predictions.names.size(); ++p) {
    const std::size_t example = index_of(examples, predictions.names[p]);
    if (example != kNowhere)
      by_example[example] = p;
    else if (!elsewhere.contains(predictions.names[p]))
      throw Error(ExitCode::kBadData,
                  file + ": the " + examples.items.item + " " + in_quotes(predictions.names[p]) +
                      " is none of " + examples.place,
                  "They are named as in the data: " + in_quotes(examples.names.front()) + " for one.");
  }
  const auto without = std::find(by_example.begin(), by_example.end(), kNowhere);
  if (without == by_example.end()) return by_example;
  const auto count = static_cast<std::size_t>(std::count(by_example.begin(), by_example.end(), kNowhere));
  throw Error(ExitCode::kBadData,
              file + ": there is no prediction of " + plural_text(count, examples.items.item) + " of " +
                  examples.place + ", " +
                  in_quotes(examples.names[static_cast<std::size_t>(without - by_example.begin())]) +
                  " for one",
              "Predict all of them; --part scores a part of the data.");
}

// Reads groups of examples; lives for one call.
class GroupReader {
 public:
  GroupReader(const fs::path& file, const ScoredExamples& examples)
      : file_(file), examples_(examples), named_(examples.names.size(), false) {}

  std::vector<std::vector<std::uint32_t>> read() {
    const Json json = data::read_json(file_);
    if (!json.is_object() || !json.contains("groups") || !json["groups"].is_array())
      throw Error(ExitCode::kBadData, file_.string() + " holds no list \"groups\"", kHint);
    for (const Json& list : json["groups"]) read_group(list);
    if (met_ > 0 && known_ == 0)
      throw Error(ExitCode::kBadData,
                  file_.string() + ": none of its " + examples_.items.plural() + " is in " + examples_.place,
                  "Make the groups from the same data.");
    for (std::size_t i = 0; i < named_.size(); ++i)
      if (!named_[i]) groups_.push_back({static_cast<std::uint32_t>(i)});
    return std::move(groups_);
  }

 private:
  static constexpr const char* kHint =
      "It needs \"groups\": [[name, ...], ...], as `tune-train audit --json` prints.";

  void read_group(const Json& list) {
    const std::string where = file_.string() + ", groups[" + std::to_string(read_++) + "]";
    if (!list.is_array())
      throw Error(ExitCode::kBadData, where + " is no list of " + examples_.items.plural(), kHint);
    std::vector<std::uint32_t> group;
    for (const Json& name : list) {
      ++met_;
      const std::size_t place = place_in(name, where);
      if (place == kNowhere) continue;
      if (named_[place])
        throw Error(ExitCode::kBadData,
                    where + ": the " + examples_.items.item + " " + name.dump() + " appears twice",
                    "Each belongs to one group.");
      named_[place] = true;
      ++known_;
      group.push_back(static_cast<std::uint32_t>(place));
    }
    if (!group.empty()) groups_.push_back(std::move(group));
  }

  std::size_t place_in(const Json& name, const std::string& where) const {
    if (name.is_string()) return index_of(examples_, name.get<std::string>());
    const std::optional<std::int64_t> number = data::whole_number(name);
    if (!number)
      throw Error(
          ExitCode::kBadData,
          where + ": " + name.dump() + " is neither a name nor a number of " + examples_.items.plural(),
          kHint);
    const bool is_there = *number >= 1 && *number <= static_cast<std::int64_t>(examples_.names.size());
    return is_there ? static_cast<std::size_t>(*number - 1) : kNowhere;
  }

  const fs::path& file_;
  const ScoredExamples& examples_;
  std::vector<bool> named_;
  std::vector<std::vector<std::uint32_t>> groups_;
  std::size_t read_ = 0, met_ = 0, known_ = 0;
};

}  // namespace

ScoredExamples scored_examples(const Predictions& labels, const Items& items, const std::string& place) {
  ScoredExamples examples{items, place, "a table of labels", labels.classes, labels.multi_label, {}, {}, {}};
  std::vector<std::size_t> order(labels.names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return labels.names[a] < labels.names[b]; });
  for (const std::size_t i : order) {
    examples.names.push_back(labels.names[i]);
    examples.truth.push_back(labels.labels[i]);
  }
  return examples;
}

void add_classes(const Predictions& predictions, const std::string& file, ScoredExamples& examples) {
  std::vector<bool> is_shown(examples.classes.size(), false);
  for (const metrics::Labels& labels : examples.truth)
    for (const int label : labels) is_shown[static_cast<std::size_t>(label)] = true;
  for (std::size_t c = 0; c < examples.classes.size(); ++c)
    if (is_shown[c] && place_of(predictions.classes, examples.classes[c]) == kNowhere)
      examples.warnings.push_back(file + " does not name the class " + in_quotes(examples.classes[c]) +
                                  " of " + examples.place + ", whose " + examples.items.plural() +
                                  " count as wrong");
  for (const std::string& name : predictions.classes)
    if (place_of(examples.classes, name) == kNowhere) examples.classes.push_back(name);
}

MatchedPredictions match(const Predictions& predictions, const std::string& file,
                         const ScoredExamples& examples, const std::set<std::string>& elsewhere) {
  TUNE_CHECK(predictions.multi_label == examples.multi_label);
  const std::vector<int> places = places_of_classes(predictions, examples);
  const std::size_t own = predictions.classes.size(), all = examples.classes.size();
  MatchedPredictions matched{file, {}, std::nullopt};
  std::vector<double> probabilities;
  for (const std::size_t p : predictions_by_example(predictions, file, examples, elsewhere)) {
    metrics::Labels labels;
    for (const int label : predictions.labels[p]) labels.push_back(places[static_cast<std::size_t>(label)]);
    std::sort(labels.begin(), labels.end());
    matched.labels.push_back(std::move(labels));
    if (predictions.probabilities.empty()) continue;
    const std::size_t row = probabilities.size();
    probabilities.resize(row + all, 0.0);
    for (std::size_t c = 0; c < own; ++c)
      probabilities[row + static_cast<std::size_t>(places[c])] = predictions.probabilities[p * own + c];
  }
  if (!predictions.probabilities.empty()) matched.probabilities.emplace(all, std::move(probabilities));
  return matched;
}

std::vector<std::vector<std::uint32_t>> read_groups(const fs::path& file, const ScoredExamples& examples) {
  return GroupReader(file, examples).read();
}

std::vector<std::vector<std::uint32_t>> every_one_alone(const ScoredExamples& examples) {
  std::vector<std::vector<std::uint32_t>> groups;
  for (std::size_t i = 0; i < examples.names.size(); ++i) groups.push_back({static_cast<std::uint32_t>(i)});
  return groups;
}

}  // namespace tune::trainer::classification

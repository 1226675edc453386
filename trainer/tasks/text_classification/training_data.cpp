#include "trainer/tasks/text_classification/training_data.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <set>

#include "trainer/data/part_names.h"
#include "trainer/data/split.h"
#include "trainer/loop/task.h"
#include "trainer/loop/trial_file.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::text_classification {
namespace {

constexpr const char* kGrouping = "content";  // the only one

// Indices of equal texts, of those that are there several times.
data::Groups equal_texts(const Dataset& dataset) {
  std::map<std::string, std::vector<std::size_t>> by_content;
  for (std::size_t i = 0; i < dataset.examples.size(); ++i)
    by_content[content_of(dataset.examples[i])].push_back(i);
  data::Groups groups;
  for (auto& [content, members] : by_content)
    if (members.size() > 1) groups.push_back(std::move(members));
  std::sort(groups.begin(), groups.end());
  return groups;
}

// What examples count as when they are cut: their class, of several the rarest.
std::vector<data::ImageClasses> classes_of(const Dataset& dataset) {
  std::vector<std::size_t> counts(dataset.classes.size());
  for (const Example& example : dataset.examples)
    for (const int label : example.labels) ++counts[static_cast<std::size_t>(label)];
  std::vector<data::ImageClasses> classes;
  for (const Example& example : dataset.examples) {
    data::ImageClasses& one = classes.emplace_back();
    for (const int label : example.labels) one.shown.push_back(label + 1);
    const auto rarest = std::min_element(example.labels.begin(), example.labels.end(), [&](int a, int b) {
      return counts[static_cast<std::size_t>(a)] < counts[static_cast<std::size_t>(b)];
    });
    one.main = rarest == example.labels.end() ? 0 : *rarest + 1;
  }
  return classes;
}

std::size_t shared_texts(const Dataset& set, const Dataset& seen) {
  std::set<std::string> contents;
  for (const Example& example : seen.examples) contents.insert(content_of(example));
  return static_cast<std::size_t>(
      std::count_if(set.examples.begin(), set.examples.end(),
                    [&](const Example& example) { return contents.contains(content_of(example)); }));
}

// Reads one trial's sets; lives for one call.
class SetsReader {
 public:
  SetsReader(const Json& trainer, std::ostream& notes)
      : options_(read_options(trainer)),
        data_(loop::text_key(trainer, "data", "")),
        validation_(loop::text_key(trainer, "validation", "")),
        test_(loop::text_key(trainer, "test", "")),
        split_(trainer.value("split", Json())),
        notes_(notes) {}

  TextSets read() {
    check_keys();
    const std::vector<std::string> parts = parts_of_set(data_);
    const auto has = [&](const char* part) {
      return std::find(parts.begin(), parts.end(), part) != parts.end();
    };
    if (!parts.empty() && !has("train"))
      throw Error(ExitCode::kBadData, data_ + " has tables of parts, but none to train on",
                  "Name the table to train on by its own path.");
    ReadOptions options = options_;
    if (has("train")) options.part = "train";
    sets_.training = read_dataset(data_, options);
    sets_.form = sets_.training.form;
    take_warnings(sets_.training);
    notes_ << recognised(data_, sets_.training) << (has("train") ? " in the part to train on" : "") << '\n';
    sets_.fingerprint = fingerprint(sets_.training);
    const bool cuts = validation_.empty() && !has("validation");
    check_training(cuts);
    const Dataset whole = sets_.training;
    if (cuts)
      cut();
    else
      read_validation(validation_.empty() ? data_ : validation_, validation_.empty() ? "validation" : "");
    if (!test_.empty())
      read_test(test_, "", whole);
    else if (has("test"))
      read_test(data_, "test", whole);
    warn_of_classes();
    for (const std::string& warning : sets_.warnings) notes_ << "warning: " << warning << '\n';
    notes_ << "data: " << sets_.training.examples.size() << " texts to train on, "
           << sets_.validation.examples.size() << " to validate, " << sets_.training.classes.size()
           << " classes" << std::endl;
    return std::move(sets_);
  }

 private:
  void check_keys() const {
    if (data_.empty())
      throw Error(ExitCode::kBadSpec, "trainer.data is missing", "name a table of texts, or its folder");
    if (split_.is_null()) return;
    if (!validation_.empty())
      throw Error(ExitCode::kBadSpec, "trainer.validation and trainer.split contradict each other",
                  "leave one out");
    if (split_.contains("grouping") && split_["grouping"] != kGrouping)
      throw Error(ExitCode::kBadSpec, "trainer.split.grouping is " + split_["grouping"].dump(),
                  "leave it out: equal texts stay on one side, which is \"content\"");
    data::parse_split(split_);
  }

  void take_warnings(const Dataset& set) {
    sets_.warnings.insert(sets_.warnings.end(), set.warnings.begin(), set.warnings.end());
  }

  // A label that is there once is a misspelt one more often than not.
  void check_training(bool cuts) {
    const Dataset& set = sets_.training;
    std::vector<std::vector<std::string>> lines(set.classes.size());
    for (const Example& example : set.examples)
      for (const int label : example.labels) lines[static_cast<std::size_t>(label)].push_back(example.name);
    constexpr std::size_t kShown = 10;
    std::vector<std::string> once;
    for (std::size_t c = 0; c < lines.size(); ++c)
      if (lines[c].size() == 1) once.push_back(in_quotes(set.classes[c]) + " in line " + lines[c].front());
    if (once.empty()) return;
    const std::size_t hidden = once.size() - std::min(kShown, once.size());
    once.resize(once.size() - hidden);
    const std::string what = data_ + ": labels of one text alone: " + data::listed_names(once) +
                             (hidden > 0 ? " and " + std::to_string(hidden) + " more" : "");
    if (cuts && !set.multi_label)
      throw Error(
          ExitCode::kBadData, what + "; it cannot be trained on and validated on as well",
          "Mend the label, add texts of it, take the line out, or name a `validation` of its own. Without "
          "header the label comes first.");
    sets_.warnings.push_back(what);
  }

  ReadOptions like_training() const {
    ReadOptions options = options_;
    options.classes = sets_.training.classes;
    options.multi_label = sets_.training.multi_label;
    options.pairs = sets_.training.pairs;
    return options;
  }

  Dataset read_other(const std::string& place, const std::string& part) {
    ReadOptions options = like_training();
    options.part = part;
    Dataset set = read_dataset(place, options);
    if (place != data_) take_warnings(set);
    return set;
  }

  void cut() {
    const data::SplitFractions fractions = data::parse_split(split_.is_null() ? Json::object() : split_);
    const data::Groups groups = equal_texts(sets_.training);
    const std::vector<data::ImageClasses> classes = classes_of(sets_.training);
    const int count = static_cast<int>(sets_.training.classes.size());
    const data::SplitIndices parts = groups.empty()
                                         ? data::split(classes, count, fractions)
                                         : data::split_by_groups(classes, count, fractions, groups);
    warn_of_contradictions(groups);
    const Dataset whole = std::move(sets_.training);
    sets_.training = subset(whole, parts.train);
    sets_.validation = subset(whole, parts.validation);
    const Json test = split_.is_null() ? Json("measured") : split_.value("test", Json("measured"));
    if (!parts.test.empty() && test == "measured") sets_.test = subset(whole, parts.test);
    sets_.split = {{"fractions", {fractions.train, fractions.validation, fractions.test}},
                   {"seed", fractions.seed},
                   {"groups_of_equal_texts", groups.size()}};
  }

  void warn_of_contradictions(const data::Groups& groups) {
    std::size_t contradicting = 0;
    std::string first;
    for (const std::vector<std::size_t>& group : groups) {
      const Example& one = sets_.training.examples[group.front()];
      const auto other = std::find_if(group.begin(), group.end(), [&](std::size_t i) {
        return sets_.training.examples[i].labels != one.labels;
      });
      if (other == group.end()) continue;
      if (contradicting++ == 0) first = "lines " + one.name + " and " + sets_.training.examples[*other].name;
    }
    if (contradicting > 0)
      sets_.warnings.push_back(data_ + ": " + plural_text(contradicting, "text") +
                               (contradicting == 1 ? " has" : " have") +
                               " different labels where it is there again, such as in " + first);
  }

  void read_validation(const std::string& place, const std::string& part) {
    sets_.validation = read_other(place, part);
    sets_.fingerprint += "+" + fingerprint(sets_.validation);
    const std::size_t shared = shared_texts(sets_.validation, sets_.training);
    sets_.split = {{"validation_shared_texts", shared}};
    if (shared > 0)
      sets_.warnings.push_back(
          std::to_string(shared) + " of " + plural_text(sets_.validation.examples.size(), "text") +
          " to validate are among those of " + data_ + ", so the metrics may be too good");
  }

  void read_test(const std::string& place, const std::string& part, const Dataset& whole) {
    if (sets_.test)
      throw Error(ExitCode::kBadSpec,
                  "a test set of its own and the third of trainer.split.fractions contradict each other",
                  "write two fractions");
    sets_.test = read_other(place, part);
    const std::size_t shared = shared_texts(*sets_.test, whole);
    sets_.split["test_shared_texts"] = shared;
    if (shared > 0)
      sets_.warnings.push_back(
          std::to_string(shared) + " of " + plural_text(sets_.test->examples.size(), "text") +
          " to test are among those of " + data_ + ", so what is measured on them may be too good");
  }

  // Both change what the mean over classes means, and nothing in a metric shows it.
  void warn_of_classes() {
    const auto shown = [](const Dataset& set) {
      std::set<int> seen;
      for (const Example& example : set.examples) seen.insert(example.labels.begin(), example.labels.end());
      return seen;
    };
    const std::set<int> trained = shown(sets_.training), measured = shown(sets_.validation);
    std::vector<std::string> untrained, unmeasured;
    for (std::size_t c = 0; c < sets_.training.classes.size(); ++c) {
      if (!trained.contains(static_cast<int>(c))) untrained.push_back(in_quotes(sets_.training.classes[c]));
      if (!measured.contains(static_cast<int>(c))) unmeasured.push_back(in_quotes(sets_.training.classes[c]));
    }
    if (!untrained.empty())
      sets_.warnings.push_back("no training text is of " + data::listed_names(untrained) +
                               ", so that cannot be learned");
    if (!unmeasured.empty())
      sets_.warnings.push_back("no validation text is of " + data::listed_names(unmeasured) +
                               ", so the metrics leave that out");
  }

  const ReadOptions options_;
  const std::string data_, validation_, test_;
  const Json split_;
  std::ostream& notes_;
  TextSets sets_;
};

OrderedJson split_key() {
  const auto key = loop::trainer_key;
  OrderedJson split = key("split", "object",
                          "how `data` is cut into parts, where no `validation` is given; equal texts stay on "
                          "one side"),
              test = key("test", "choice",
                         "each trial's best model is measured on the third part (measured, the default), or "
                         "nobody looks at it (untouched)");
  OrderedJson grouping =
      key("grouping", "choice", "content, which is all there is: equal texts stay on one side");
  test["values"] = {"measured", "untouched"};
  grouping["values"] = {kGrouping};
  split["keys"] = {
      key("fractions", "fractions", "[train, validation] or [train, validation, test], together 1"),
      key("seed", "count", "of the draw; 0 by default"), grouping, test};
  return split;
}

}  // namespace

std::vector<OrderedJson> data_keys() {
  const auto key = loop::trainer_key;
  OrderedJson data = key("data", "path", "the table of labelled texts to train on, or a folder with it");
  data["required"] = true;
  OrderedJson flags =
      key("label_columns", "list", "columns of 0 and 1, one for each class of a multi-label set");
  flags["items"] = key("column", "text", "the name of one");
  return {
      data,
      key("validation", "path",
          "texts to validate on, instead of a part of `data`; where `data` has a table of its own for "
          "that, it is the default"),
      key("test", "path",
          "texts on which each trial's best model is measured at the end; where `data` has a table of "
          "its own for that, it is the default"),
      split_key(),
      key("text_column", "text", "the column of the texts; without it a name that is in use, such as text"),
      key("second_text_column", "text", "of the second texts of pairs; without it such as text2"),
      key("label_column", "text", "of the labels; without it such as label"),
      flags,
      key("multi_label", "flag",
          "whether a text may be of several classes, or of none: labels then have | or ; between them; "
          "lists in JSON Lines say it themselves")};
}

ReadOptions read_options(const Json& trainer) {
  ReadOptions options;
  options.columns.text = loop::text_key(trainer, "text_column", "");
  options.columns.second = loop::text_key(trainer, "second_text_column", "");
  options.columns.label = loop::text_key(trainer, "label_column", "");
  const Json flags = trainer.value("label_columns", Json::array()),
             several = trainer.value("multi_label", Json());
  if (!flags.is_array())
    throw Error(ExitCode::kBadSpec, "trainer.label_columns is " + flags.dump(), "a list of names of columns");
  for (const Json& name : flags) {
    if (!name.is_string())
      throw Error(ExitCode::kBadSpec, "trainer.label_columns names " + name.dump(), "the name of a column");
    options.columns.flags.push_back(name);
  }
  if (!several.is_null() && !several.is_boolean())
    throw Error(ExitCode::kBadSpec, "trainer.multi_label is " + several.dump(), "true or false");
  if (several.is_boolean()) options.multi_label = several.get<bool>();
  if (options.columns.flags.empty()) return options;
  if (options.columns.flags.size() < 2)
    throw Error(ExitCode::kBadSpec, "trainer.label_columns names one column",
                "name one for each class, or name the column of the labels in label_column");
  if (!options.columns.label.empty() || options.multi_label == false)
    throw Error(ExitCode::kBadSpec,
                std::string("trainer.label_columns and trainer.") +
                    (options.columns.label.empty() ? "multi_label" : "label_column") +
                    " contradict each other",
                "leave one of them out");
  return options;
}

TextSets read_text_sets(const Json& trainer, std::ostream& notes) {
  return SetsReader(trainer, notes).read();
}

}  // namespace tune::trainer::text_classification

#pragma once
// Reads labelled texts from tables on disk.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "trainer/tasks/text_classification/data/dataset.h"

namespace tune::trainer::text_classification {

enum class Labels {
  kRequired,  // to train or to evaluate
  kIgnored,   // to predict
};

// What the columns of a table are; empty where its names say it themselves.
struct Columns {
  std::string text, second, label;
  std::vector<std::string> flags;  // one for each class, of 0 and 1; then there is no `label`
};

struct ReadOptions {
  Labels labels = Labels::kRequired;
  Columns columns = {};
  // The classes of a model or of the training set, in their order: a text of any other class is an error.
  // Empty: those of the table, in the order of whole numbers where all of them are, else by name.
  std::vector<std::string> classes = {};
  // What a model or the training set says. nullopt: the table itself shows it.
  std::optional<bool> multi_label = std::nullopt, pairs = std::nullopt;
  // "train", "validation" or "test" of a folder that has a table for each.
  std::string part = {};
};

// The table that `data` is, or has for that part: a CSV or JSON Lines by themselves (trainer/data/table.h),
// or a folder with one of them, or with several that are named as parts (train.csv, validation.jsonl).
//   A CSV without header has the label and the text. Else columns are known by names that are in use: text,
//   sentence, review and so on; text2, sentence2, ...; label, class, category and so on.
//   Several labels are a list in JSON Lines; in a CSV they have `|` or `;` between them, where
//   ReadOptions::multi_label says that there may be several.
// Throws Error(kBadData) with up to 20 problems, each naming file and line: no text, no label or one that the
// classes do not have, more columns than a table without header can have, one class only.
Dataset read_dataset(const std::filesystem::path& data, const ReadOptions& options = {});

// "train", "validation" and "test", as far as a folder has a table for each; none where it is one table.
std::vector<std::string> parts_of_set(const std::filesystem::path& data);

// "data: mails.csv is a table of labelled texts, with header; 300 texts", for people.
std::string recognised(const std::filesystem::path& data, const Dataset& dataset);

}  // namespace tune::trainer::text_classification

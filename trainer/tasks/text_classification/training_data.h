#pragma once
// The data sets of one trial on texts, out of the keys of its `trainer` object.
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "trainer/tasks/text_classification/data/reader.h"
#include "tuner/core/json.h"

namespace tune::trainer::text_classification {

struct TextSets {
  Dataset training, validation;
  std::optional<Dataset> test;
  std::string fingerprint;            // of the data behind training and validation
  OrderedJson split;                  // for model.json: how it was cut, which texts the sets share
  std::string form;                   // what `data` was recognised as
  std::vector<std::string> warnings;  // of reading it
};

// Rows of Task::trainer_keys(): data, validation, test, split, and what the columns are.
std::vector<OrderedJson> data_keys();

// What the keys of the columns say. Throws Error(kBadSpec) where they contradict each other.
ReadOptions read_options(const Json& trainer);

// Where `data` has parts of its own (train, validation, test), training takes the first, and the others stand
// for a `validation` and a `test` that are not given. Else validation texts are cut out of `data`, equal
// texts staying on one side. Warnings go to the notes. Throws Error(kBadSpec) for the keys; Error(kBadData)
// for the data, among it a label of one text alone where a part is cut off.
TextSets read_text_sets(const Json& trainer, std::ostream& notes);

}  // namespace tune::trainer::text_classification

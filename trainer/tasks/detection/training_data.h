#pragma once
// The three data sets of one trial, out of the keys of its `trainer` object. Other commands read parts by
// data_parts.h.
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "trainer/tasks/detection/data/dataset.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {

struct TrainingData {
  Dataset training, validation;
  std::optional<Dataset> test;  // looked at once, for the model that is exported
  std::string fingerprint;
  OrderedJson split;                  // for model.json: how it was cut, and whether it may leak
  std::string form;                   // what `data` was recognised as
  std::vector<std::string> warnings;  // of reading it
};

// Reads `data`, `validation`, `test`, `images` and `split`. Where `data` has parts of its own (train, valid,
// test), training takes the first, and the others stand for a `validation` and a `test` that are not given.
// Warnings and progress go to `notes`. Throws Error(kBadSpec)
// for the keys, Error(kBadData) for the data, among it a `test` of its own that shows surfaces of `data` or
// of a `validation` of its own.
TrainingData read_training_data(const Json& trainer, int threads, std::ostream& notes,
                                const std::function<bool()>& interrupted);

}  // namespace tune::trainer::detection

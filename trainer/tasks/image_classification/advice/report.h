#pragma once
// An advice as a person and as programs read it.
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "trainer/tasks/image_classification/advice/measurements.h"
#include "trainer/tasks/image_classification/data_parts.h"

namespace tune::trainer::image_classification {

struct AdvisedSet {
  DataChoice choice;  // without a part
  Dataset set;
  std::string model, model_rule;
  std::optional<std::filesystem::path> weights;
  std::vector<std::string> other_weights;  // on this machine, or where they come from
  int threads = 1;
  std::string device;
  Measurements measured;
  Facts facts;
  Advice advice;
  double seconds = 0;  // that it took
};

// A spec that searches as advised, without a study's name; paths are as they were given.
OrderedJson advised_spec(const AdvisedSet& advised);

OrderedJson advice_json(const AdvisedSet& advised);
void print_advice(const AdvisedSet& advised, std::ostream& out);

}  // namespace tune::trainer::image_classification

#pragma once
// Obeys the trainer's key `split` for a list of image files: looks for those that show the same surface where
// that is asked for, and cuts by split.h.
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <vector>

#include "trainer/data/split.h"

namespace tune::trainer::data {

struct Cut {
  SplitIndices parts;
  // For model.json: grouping, fractions, seed, may_leak, and with grouping "content" the number of groups,
  // the size of the largest, and the number of overlaps whose images lie in different parts all the same.
  OrderedJson description;
};

struct CutRequest {
  const std::vector<std::filesystem::path>& files;  // one an image
  const std::vector<ImageClasses>& images;
  int classes = 0;
  const Json& split;  // the trainer's key of that name, checked here
  int threads = 1;
  std::ostream& notes;                       // for progress
  const std::function<bool()>& interrupted;  // ends early, by Error(kInterrupted), once it says so
};
Cut cut_by_split(const CutRequest& request);

}  // namespace tune::trainer::data

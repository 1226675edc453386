#pragma once
// Which part of a data set on disk is meant, one of its own (train/, valid/, test/) or one that `split` cuts.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/json.h"

namespace tune::trainer::image_sets {

// Which part of a data set a command looks at.
struct PartChoice {
  std::optional<Json> split;  // as the trainer's key; without one the part is one of the set's own
  std::string part;           // "train", "validation" or "test"
};

// How training takes a data set that may have parts of its own.
struct OwnParts {
  std::vector<std::string> names;  // of "train", "validation", "test"; empty where it is one set
  std::string training;            // the part that is trained on, or cut by `split`; "" for all of the set

  bool has(const std::string& part) const;
};

// `names` are the parts of the set `data`, which was recognised as `words`. `split` is the trainer's key,
// null where it is absent. Its fractions contradict a part of the set's own to validate on, which is
// Error(kUsage); without fractions such a part goes before it.
OwnParts own_parts(const std::vector<std::string>& names, const std::string& words,
                   const std::filesystem::path& data, const Json& split);

}  // namespace tune::trainer::image_sets

#pragma once
// Which part of a data set on disk is meant, one of its own (train/, valid/, test/) or one that `split` cuts:
// one way for training and for every command that looks at a part.
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "trainer/tasks/detection/data/dataset_split.h"
#include "trainer/tasks/detection/data/reader.h"

namespace tune::trainer::detection {

struct DataParts {
  Split parts;
  OrderedJson description;  // for model.json, see data::Cut
};

// `split` is the trainer's key of that name (checked here). Progress and notes go to `notes`; ends early, by
// Error(kInterrupted), once `interrupted` says so.
DataParts cut_into_parts(const Dataset& dataset, const Json& split, int threads, std::ostream& notes,
                         const std::function<bool()>& interrupted);

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

// `split` is the trainer's key, null where it is absent. Its fractions contradict a part of the set's own to
// validate on, which is Error(kUsage); without fractions such a part goes before it.
OwnParts own_parts(const std::filesystem::path& data, const ReadOptions& options, const Json& split);

// read_dataset(), which a signal ends together with the program: readers do not look for one.
Dataset read_to_the_end(const std::filesystem::path& data, const ReadOptions& options);

// Reads a data set and keeps the part that training with this `split` would use as such, whatever classes the
// options give; `description` gets that of the cut. Throws Error(kBadData) for a part that the fractions
// leave empty.
Dataset read_part(const std::filesystem::path& data, const ReadOptions& options,
                  const std::optional<PartChoice>& choice, int threads, std::ostream& notes,
                  const std::function<bool()>& interrupted, OrderedJson* description = nullptr);

}  // namespace tune::trainer::detection

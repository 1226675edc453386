#pragma once
// Parts of a data set as a task has it in memory. `Dataset` is a task's: it has `classes` and `examples`, and
// beside it, in its namespace, stand files_of(dataset), classes_of_images(dataset), subset(dataset, indices)
// and key_of(example), which tells the examples of one set apart.
#include <functional>
#include <iosfwd>
#include <set>
#include <string>

#include "trainer/data/cut_by_split.h"
#include "trainer/tasks/image_sets/own_parts.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_sets {

template <typename Dataset>
struct CutSets {
  Dataset train, validation, test;  // with the whole set's classes
  OrderedJson description;          // for model.json, see data::Cut
};

// `split` is the trainer's key of that name (checked here). Progress and notes go to `notes`; ends early, by
// Error(kInterrupted), once `interrupted` says so.
template <typename Dataset>
CutSets<Dataset> cut_into_parts(const Dataset& dataset, const Json& split, int threads, std::ostream& notes,
                                const std::function<bool()>& interrupted) {
  const data::Cut cut =
      data::cut_by_split({files_of(dataset), classes_of_images(dataset),
                          static_cast<int>(dataset.classes.size()), split, threads, notes, interrupted});
  return {subset(dataset, cut.parts.train), subset(dataset, cut.parts.validation),
          subset(dataset, cut.parts.test), cut.description};
}

// How one data set is read.
template <typename Dataset>
struct PartReading {
  std::function<OwnParts(const Json& split)> own_parts;
  std::function<Dataset(const std::string& part)> wanted;   // as the caller wants it
  std::function<Dataset(const std::string& part)> trained;  // as training reads it, by its own classes
};

// Reads a data set and keeps the part that training with this `split` would use as such; `description` gets
// that of the cut. Throws Error(kBadData) for a part that the fractions leave empty.
template <typename Dataset>
Dataset read_part(const std::filesystem::path& data, const PartReading<Dataset>& reading,
                  const PartChoice& choice, int threads, std::ostream& notes,
                  const std::function<bool()>& interrupted, OrderedJson* description) {
  std::string own = choice.part;
  bool cuts = choice.split.has_value();
  if (cuts) {
    const OwnParts parts = reading.own_parts(*choice.split);
    cuts = !parts.has("validation") && !(parts.has("test") && choice.part == "test");
    if (cuts) own = parts.training;
  }
  Dataset wanted = reading.wanted(own);
  if (!cuts) return wanted;
  // Training cuts the set by its own classes, in their order; a model's may be in another.
  CutSets<Dataset> cut = cut_into_parts(reading.trained(own), *choice.split, threads, notes, interrupted);
  if (description != nullptr) *description = cut.description;
  const Dataset& part = choice.part == "train"        ? cut.train
                        : choice.part == "validation" ? cut.validation
                                                      : cut.test;
  if (part.examples.empty())
    throw Error(ExitCode::kBadData, "the " + choice.part + " part of " + data.string() + " is empty",
                "split.fractions gives it nothing.");
  std::set<decltype(key_of(part.examples.front()))> keys;
  for (const auto& example : part.examples) keys.insert(key_of(example));
  std::erase_if(wanted.examples, [&](const auto& example) { return !keys.contains(key_of(example)); });
  return wanted;
}

}  // namespace tune::trainer::image_sets

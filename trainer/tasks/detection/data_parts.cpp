#include "trainer/tasks/detection/data_parts.h"

#include <algorithm>
#include <ostream>
#include <set>

#include "trainer/data/cut_by_split.h"
#include "trainer/loop/stop_signal.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {
DataParts cut_into_parts(const Dataset& dataset, const Json& split, int threads, std::ostream& notes,
                         const std::function<bool()>& interrupted) {
  const data::Cut cut =
      data::cut_by_split({files_of(dataset), classes_of_images(dataset),
                          static_cast<int>(dataset.classes.size()), split, threads, notes, interrupted});
  return {parts_of(dataset, cut.parts), cut.description};
}

bool OwnParts::has(const std::string& part) const {
  return std::find(names.begin(), names.end(), part) != names.end();
}

OwnParts own_parts(const std::filesystem::path& data, const ReadOptions& options, const Json& split) {
  const Layout layout = layout_of(data, options);
  OwnParts parts{layout.parts, ""};
  if (parts.names.empty()) return parts;
  if (split.contains("fractions") && parts.has("validation"))
    throw Error(
        ExitCode::kUsage,
        data.string() + " has a part of its own to validate on, which the fractions of `split` contradict",
        "Leave `split` out; --part names a part, and the path of a part's own folder is a data set too.");
  if (!parts.has("train"))
    throw Error(ExitCode::kBadData,
                data.string() + " has parts of its own, but none to train on (" + layout.words + ")",
                "Name the part to train on by its own path.");
  parts.training = "train";
  return parts;
}

Dataset read_to_the_end(const std::filesystem::path& data, const ReadOptions& options) {
  const loop::EndOnSignal reading;
  return read_dataset(data, options);
}

Dataset read_part(const std::filesystem::path& data, const ReadOptions& options,
                  const std::optional<PartChoice>& choice, int threads, std::ostream& notes,
                  const std::function<bool()>& interrupted, OrderedJson* description) {
  if (!choice) return read_to_the_end(data, options);
  ReadOptions own = options;
  own.part = choice->part;
  bool cuts = choice->split.has_value();
  if (cuts) {
    const OwnParts parts = own_parts(data, options, *choice->split);
    cuts = !parts.has("validation") && !(parts.has("test") && choice->part == "test");
    if (cuts) own.part = parts.training;
  }
  Dataset wanted = read_to_the_end(data, own);
  if (!cuts) return wanted;
  // Training cuts the set by its own classes, in their order; a model's may be in another.
  std::vector<data::DataProblem> told_already;
  own.labels = Labels::kRequired;
  own.classes.clear();
  if (own.problems) own.problems = &told_already;
  DataParts cut = cut_into_parts(read_to_the_end(data, own), *choice->split, threads, notes, interrupted);
  if (description != nullptr) *description = cut.description;
  const Dataset& part = choice->part == "train"        ? cut.parts.train
                        : choice->part == "validation" ? cut.parts.validation
                                                       : cut.parts.test;
  if (part.examples.empty())
    throw Error(ExitCode::kBadData, "the " + choice->part + " part of " + data.string() + " is empty",
                "split.fractions gives it nothing.");
  std::set<std::int64_t> ids;
  for (const Example& example : part.examples) ids.insert(example.image_id);
  std::erase_if(wanted.examples, [&](const Example& example) { return !ids.contains(example.image_id); });
  return wanted;
}

}  // namespace tune::trainer::detection

#include "trainer/tasks/detection/data_parts.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <set>

#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/detection/overlap_search.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

std::size_t largest_of(const Groups& groups) {
  std::size_t largest = 1;
  for (const auto& group : groups) largest = std::max(largest, group.size());
  return largest;
}

std::size_t count_of(const Groups& groups, std::size_t images) {
  std::size_t count = images;
  for (const auto& group : groups) count -= group.size() - 1;
  return count;
}

std::size_t crossing_overlaps(const Dataset& dataset, const Split& parts,
                              const std::vector<Overlap>& overlaps) {
  std::map<std::int64_t, const Dataset*> part_of;
  for (const Dataset* part : {&parts.train, &parts.validation, &parts.test})
    for (const Example& example : part->examples) part_of[example.image_id] = part;
  const auto part = [&](std::size_t image) { return part_of.at(dataset.examples[image].image_id); };
  return static_cast<std::size_t>(
      std::count_if(overlaps.begin(), overlaps.end(),
                    [&](const Overlap& overlap) { return part(overlap.first) != part(overlap.second); }));
}

std::vector<std::filesystem::path> files_of(const Dataset& dataset) {
  std::vector<std::filesystem::path> files;
  for (const Example& example : dataset.examples) files.push_back(example.image);
  return files;
}

}  // namespace

DataParts cut_into_parts(const Dataset& dataset, const Json& split, int threads, std::ostream& notes,
                         const std::function<bool()>& interrupted) {
  const SplitFractions fractions = parse_split(split);
  OrderedJson description{{"grouping", fractions.grouping == Grouping::kContent ? "content" : "image"},
                          {"fractions", {fractions.train, fractions.validation, fractions.test}},
                          {"seed", fractions.seed},
                          {"may_leak", fractions.grouping == Grouping::kImage}};
  if (fractions.grouping == Grouping::kImage) return {detection::split(dataset, fractions), description};
  const OverlapSearch search{files_of(dataset), {}, threads, &notes, interrupted};
  const std::vector<Overlap> overlaps = find_overlaps(search);
  const Groups groups = connected_groups(dataset.examples.size(), overlaps);
  Split parts = split_by_groups(dataset, fractions, groups);
  // Weak overlaps join no large groups, so the cut may go through some.
  const std::size_t crossing = crossing_overlaps(dataset, parts, overlaps);
  description["groups"] = count_of(groups, dataset.examples.size());
  description["largest_group"] = largest_of(groups);
  description["crossing_overlaps"] = crossing;
  description["may_leak"] = crossing > 0;
  return {std::move(parts), description};
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
  std::vector<DataProblem> told_already;
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

#include "trainer/data/cut_by_split.h"

#include <algorithm>

#include "trainer/data/overlap_search.h"

namespace tune::trainer::data {
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

std::size_t crossing_overlaps(std::size_t images, const SplitIndices& parts,
                              const std::vector<Overlap>& overlaps) {
  std::vector<int> part_of(images);
  for (const std::size_t index : parts.validation) part_of[index] = 1;
  for (const std::size_t index : parts.test) part_of[index] = 2;
  return static_cast<std::size_t>(std::count_if(
      overlaps.begin(), overlaps.end(),
      [&](const Overlap& overlap) { return part_of[overlap.first] != part_of[overlap.second]; }));
}

}  // namespace

Cut cut_by_split(const CutRequest& request) {
  const SplitFractions fractions = parse_split(request.split);
  OrderedJson description{{"grouping", fractions.grouping == Grouping::kContent ? "content" : "image"},
                          {"fractions", {fractions.train, fractions.validation, fractions.test}},
                          {"seed", fractions.seed},
                          {"may_leak", fractions.grouping == Grouping::kImage}};
  if (fractions.grouping == Grouping::kImage)
    return {split(request.images, request.classes, fractions), description};
  const OverlapSearch search{request.files, {}, request.threads, &request.notes, request.interrupted};
  const std::vector<Overlap> overlaps = find_overlaps(search);
  const Groups groups = connected_groups(request.files.size(), overlaps);
  SplitIndices parts = split_by_groups(request.images, request.classes, fractions, groups);
  // Weak overlaps join no large groups, so the cut may go through some.
  const std::size_t crossing = crossing_overlaps(request.files.size(), parts, overlaps);
  description["groups"] = count_of(groups, request.files.size());
  description["largest_group"] = largest_of(groups);
  description["crossing_overlaps"] = crossing;
  description["may_leak"] = crossing > 0;
  return {std::move(parts), description};
}

}  // namespace tune::trainer::data

// Groups of overlapping images, and splits that keep them together.
#include <cmath>
#include <map>
#include <set>

#include "trainer/data/overlap.h"
#include "trainer/data/split.h"
#include "trainer/tasks/detection/data/dataset_split.h"
#include "unit/trainer/test_folder.h"

namespace data = tune::trainer::data;
using namespace tune::trainer::detection;
using tune::ExitCode;
using tune::trainer::tests::contains;
using tune::trainer::tests::message_of;

namespace {

data::Overlap link(std::size_t first, std::size_t second, double coherence = 0.9) {
  return {first, second, 5, 0, 0.9, coherence, 0.5};
}

// Image i has one object of the category i % classes + 1.
Dataset images(std::size_t count, int classes) {
  Dataset dataset{{"a", "b", "c"}, {1, 2, 3}, {}, true, {}};
  for (std::size_t i = 0; i < count; ++i) {
    Example example;
    example.image_id = static_cast<std::int64_t>(i) + 1;
    GroundTruth object;
    object.x2 = object.y2 = 5;
    object.area = 25;
    object.category = static_cast<int>(i) % classes + 1;
    example.objects = {object};
    dataset.examples.push_back(example);
  }
  return dataset;
}

std::set<std::int64_t> ids(const Dataset& dataset) {
  std::set<std::int64_t> found;
  for (const Example& example : dataset.examples) found.insert(example.image_id);
  return found;
}

data::SplitFractions fractions(double train, double validation, double test, std::uint64_t seed) {
  return {train, validation, test, seed, data::Grouping::kContent};
}

}  // namespace

TEST_CASE("images that overlap through others are one group, whatever the order of the overlaps") {
  const std::vector<data::Overlap> links{link(0, 4), link(2, 3), link(4, 7)};
  const data::Groups expected{{0, 4, 7}, {2, 3}};
  CHECK(data::connected_groups(9, links) == expected);
  CHECK(data::connected_groups(9, {links[2], links[1], links[0]}) == expected);
  CHECK(data::connected_groups(9, {}).empty());
}

TEST_CASE("weak overlaps do not chain many images together, strong ones do") {
  std::vector<data::Overlap> weak, strong;
  for (std::size_t i = 0; i + 1 < 60; ++i) {
    weak.push_back(link(i, i + 1, data::kStrongCoherence - 0.01));
    strong.push_back(link(i, i + 1, data::kStrongCoherence));
  }
  const data::Groups chained = data::connected_groups(60, weak);
  CHECK(chained.size() >= 3);
  for (const auto& group : chained) CHECK(group.size() <= 20);
  REQUIRE(data::connected_groups(60, strong).size() == 1);
  CHECK(data::connected_groups(60, strong)[0].size() == 60);
}

TEST_CASE(
    "a split by groups cuts no group, keeps sizes and classes near the fractions, and follows the seed") {
  const Dataset dataset = images(600, 3);
  data::Groups groups;
  // Groups of images of one class, as crops of one surface are: 30 of each class in one group, then fours.
  for (std::size_t category = 0; category < 3; ++category) {
    std::vector<std::size_t> members;
    for (std::size_t i = category; i < 600; i += 3) members.push_back(i);
    groups.emplace_back(members.begin(), members.begin() + 30);
    for (std::size_t at = 30; at + 4 <= 100; at += 4)
      groups.emplace_back(members.begin() + static_cast<std::ptrdiff_t>(at),
                          members.begin() + static_cast<std::ptrdiff_t>(at) + 4);
  }
  const Split parts = split_by_groups(dataset, fractions(0.64, 0.16, 0.2, 4), groups);
  for (const auto& group : groups) {
    std::set<int> sides;
    for (const std::size_t index : group) {
      const auto id = static_cast<std::int64_t>(index) + 1;
      sides.insert(ids(parts.train).contains(id) ? 0 : ids(parts.validation).contains(id) ? 1 : 2);
    }
    REQUIRE(sides.size() == 1);
  }
  CHECK(parts.train.examples.size() + parts.validation.examples.size() + parts.test.examples.size() == 600);
  const std::map<const Dataset*, double> wanted{
      {&parts.train, 384}, {&parts.validation, 96}, {&parts.test, 120}};
  for (const auto& [part, count] : wanted) {
    CHECK(std::abs(static_cast<double>(part->examples.size()) - count) <= 3);
    std::map<int, double> of_class;
    for (const Example& example : part->examples) ++of_class[main_category(example)];
    for (const int category : {1, 2, 3}) CHECK(std::abs(of_class[category] - count / 3) <= 3);
  }
  CHECK(ids(split_by_groups(dataset, fractions(0.64, 0.16, 0.2, 4), groups).test) == ids(parts.test));
  CHECK(ids(split_by_groups(dataset, fractions(0.64, 0.16, 0.2, 5), groups).test) != ids(parts.test));
}

TEST_CASE("a part without a fraction gets nothing, and one group of everything cannot be cut") {
  const Dataset dataset = images(40, 2);
  const Split parts = split_by_groups(dataset, fractions(0.75, 0.25, 0, 1), {{0, 1, 2, 3}});
  CHECK(parts.train.examples.size() == 30);
  CHECK(parts.validation.examples.size() == 10);
  CHECK(parts.test.examples.empty());
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < 40; ++i) all.push_back(i);
  CHECK(contains(
      message_of(ExitCode::kBadData, [&] { split_by_groups(dataset, fractions(0.75, 0.25, 0, 1), {all}); }),
      "set is empty"));
}

#include "trainer/tasks/image_classification/advice/folds.h"

#include <algorithm>
#include <array>
#include <map>

#include "support/catch.h"

using namespace tune::trainer::image_classification;

namespace {

// `counts` images of each class, one class after the other.
std::vector<int> labels_of(const std::vector<int>& counts) {
  std::vector<int> labels;
  for (std::size_t c = 0; c < counts.size(); ++c)
    labels.insert(labels.end(), static_cast<std::size_t>(counts[c]), static_cast<int>(c));
  return labels;
}

}  // namespace

TEST_CASE("a sample has each class by its share, and a rare one once at least") {
  const std::vector<int> labels = labels_of({600, 300, 100, 1});
  const std::vector<std::size_t> sample = stratified_sample(labels, 101, 7);
  REQUIRE(sample.size() == 101);
  CHECK(std::is_sorted(sample.begin(), sample.end()));
  CHECK(std::adjacent_find(sample.begin(), sample.end()) == sample.end());
  std::array<int, 4> counts{};
  for (const std::size_t image : sample) ++counts[static_cast<std::size_t>(labels[image])];
  CHECK(counts[3] == 1);
  CHECK(std::abs(counts[0] - 60) <= 1);
  CHECK(std::abs(counts[1] - 30) <= 1);
  CHECK(std::abs(counts[2] - 10) <= 1);
  CHECK(stratified_sample(labels, 101, 7) == sample);
  CHECK(stratified_sample(labels, 101, 8) != sample);
  CHECK(stratified_sample(labels, 5000, 7).size() == labels.size());
  const std::vector<std::size_t> rare = stratified_sample(labels_of({1, 1, 1, 1, 90}), 5, 1);
  REQUIRE(rare.size() == 5);
  for (std::size_t i = 0; i < 4; ++i) CHECK(rare[i] == i);
}

TEST_CASE("folds hold each class evenly, and groups whole") {
  const std::vector<int> labels = labels_of({40, 20});
  const tune::trainer::data::Groups groups{{0, 1, 2, 3, 4, 5}, {6, 7, 8}, {40, 41, 42, 43}};
  const std::vector<int> folds = stratified_folds(labels, groups, 5, 3);
  REQUIRE(folds.size() == labels.size());
  for (const auto& group : groups)
    for (const std::size_t image : group) CHECK(folds[image] == folds[group.front()]);
  std::map<int, std::array<int, 2>> counts;
  for (std::size_t i = 0; i < labels.size(); ++i) ++counts[folds[i]][static_cast<std::size_t>(labels[i])];
  REQUIRE(counts.size() == 5);
  for (const auto& [fold, count] : counts) {
    CHECK(count[0] == 8);
    CHECK(count[1] == 4);
  }
  CHECK(stratified_folds(labels, groups, 5, 3) == folds);
}

TEST_CASE("an image in no group is a group of its own") {
  CHECK(group_numbers(5, {{1, 3}}) == std::vector<std::size_t>{0, 1, 2, 1, 4});
}

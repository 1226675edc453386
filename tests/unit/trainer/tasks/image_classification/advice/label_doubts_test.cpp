#include "trainer/tasks/image_classification/advice/label_doubts.h"

#include <numeric>

#include "support/catch.h"
#include "tuner/core/rng.h"
#include "unit/trainer/torch_catch.h"

using namespace tune::trainer::image_classification;

namespace {

// Two heaps of twenty images each.
struct Heaps {
  torch::Tensor features = torch::empty({40, 6});
  std::vector<int> labels;
  std::vector<std::size_t> groups = std::vector<std::size_t>(40);

  Heaps() {
    tune::Rng rng(5);
    std::iota(groups.begin(), groups.end(), std::size_t{0});
    for (int i = 0; i < 40; ++i) {
      labels.push_back(i / 20);
      for (int f = 0; f < 6; ++f) features[i][f] = 0.3 * rng.normal() + (f / 3 == i / 20 ? 2.0 : 0.0) + 10;
    }
  }
};

}  // namespace

TEST_CASE("labels that their neighbours contradict are listed, and no others") {
  Heaps heaps;
  CHECK(label_doubts(heaps.features, heaps.labels, heaps.groups, 9).empty());
  heaps.labels[4] = 1;
  heaps.labels[31] = 0;
  const std::vector<LabelDoubt> doubts = label_doubts(heaps.features, heaps.labels, heaps.groups, 9);
  REQUIRE(doubts.size() == 2);
  CHECK(doubts[0].strength >= doubts[1].strength);
  for (const LabelDoubt& doubt : doubts) {
    CHECK((doubt.image == 4 || doubt.image == 31));
    CHECK(doubt.suggested == (doubt.image == 4 ? 0 : 1));
    CHECK(doubt.strength > kStrongDoubt);
    CHECK(doubt.neighbours.size() == 9);
    for (const std::size_t other : doubt.neighbours) CHECK(other / 20 == doubt.image / 20);
  }
}

TEST_CASE("crops of one surface do not vouch for each other's label") {
  Heaps heaps;
  for (const std::size_t image : {4, 5, 6}) heaps.labels[image] = 1;
  heaps.features[5] = heaps.features[4];
  heaps.features[6] = heaps.features[4];
  const std::vector<LabelDoubt> apart = label_doubts(heaps.features, heaps.labels, heaps.groups, 3);
  for (const LabelDoubt& doubt : apart) CHECK(doubt.image != 4);
  heaps.groups[5] = heaps.groups[6] = heaps.groups[4];
  const std::vector<LabelDoubt> grouped = label_doubts(heaps.features, heaps.labels, heaps.groups, 3);
  REQUIRE(grouped.size() == 3);
  CHECK(grouped[0].strength == Approx(1));
  for (const LabelDoubt& doubt : grouped) CHECK((doubt.image >= 4 && doubt.image <= 6));
}

TEST_CASE("one image has no neighbours and no doubts") {
  CHECK(label_doubts(torch::ones({1, 3}), std::vector<int>{0}, std::vector<std::size_t>{0}, 9).empty());
}

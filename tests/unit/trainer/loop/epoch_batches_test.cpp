// Orders of examples, and how they are cut into batches.
#include "trainer/loop/epoch_batches.h"

#include <algorithm>
#include <set>

#include "torch_catch.h"

using namespace tune::trainer::loop;

namespace {

using Batches = std::vector<std::vector<std::int64_t>>;

}  // namespace

TEST_CASE("An epoch's order is a permutation that its seed and number decide") {
  std::vector<std::int64_t> order = epoch_order(1, 1, 50);
  CHECK(order == epoch_order(1, 1, 50));
  CHECK(order != epoch_order(1, 2, 50));
  CHECK(order != epoch_order(2, 1, 50));
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < order.size(); ++i) REQUIRE(order[i] == static_cast<std::int64_t>(i));
}

TEST_CASE(
    "A last batch of fewer examples is dropped or kept as is asked, and kept where it is the only one") {
  CHECK(cut_into_batches({4, 5, 6}, 2, LastBatch::kDropped) == Batches{{4, 5}});
  CHECK(cut_into_batches({4, 5, 6}, 2, LastBatch::kKept) == Batches{{4, 5}, {6}});
  CHECK(cut_into_batches({4, 5, 6, 7}, 2, LastBatch::kDropped) == Batches{{4, 5}, {6, 7}});
  CHECK(cut_into_batches({4}, 2, LastBatch::kDropped) == Batches{{4}});
}

TEST_CASE("Batches by length hold every example once, little padding, and no order of lengths") {
  std::vector<std::int64_t> order, lengths;
  for (std::int64_t i = 0; i < 1003; ++i) {
    order.push_back(i);
    lengths.push_back(1 + i * 7919 % 251);
  }
  const Batches batches = batches_by_length(order, lengths, 16, 3, 1);
  CHECK(batches.size() == 63);
  CHECK(batches == batches_by_length(order, lengths, 16, 3, 1));
  CHECK(batches != batches_by_length(order, lengths, 16, 3, 2));
  std::set<std::int64_t> seen;
  std::int64_t padded = 0, tokens = 0, falling = 0, before = 0;
  for (const auto& batch : batches) {
    std::int64_t longest = 0;
    for (const std::int64_t example : batch) {
      seen.insert(example);
      const std::int64_t length = lengths[static_cast<std::size_t>(example)];
      longest = std::max(longest, length);
      tokens += length;
    }
    padded += longest * static_cast<std::int64_t>(batch.size());
    falling += longest < before;
    before = longest;
  }
  CHECK(seen.size() == 1003);
  CHECK(static_cast<double>(padded) < 1.06 * static_cast<double>(tokens));
  CHECK(falling > 15);
  CHECK(falling < 48);
}

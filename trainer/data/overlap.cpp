#include "trainer/data/overlap.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "tuner/core/error.h"

namespace tune::trainer::data {

namespace {

// Disjoint sets with sizes.
class Components {
 public:
  explicit Components(std::size_t count) : parent_(count), size_(count, 1) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t root(std::size_t member) {
    while (parent_[member] != member) member = parent_[member] = parent_[parent_[member]];
    return member;
  }
  std::size_t joined_size(std::size_t a, std::size_t b) {
    return root(a) == root(b) ? size_[root(a)] : size_[root(a)] + size_[root(b)];
  }
  void join(std::size_t a, std::size_t b) {
    a = root(a), b = root(b);
    if (a == b) return;
    parent_[std::max(a, b)] = std::min(a, b);
    size_[std::min(a, b)] += size_[std::max(a, b)];
  }

 private:
  std::vector<std::size_t> parent_, size_;
};

}  // namespace

bool is_strong(const Overlap& overlap) {
  return overlap.coherence >= kStrongCoherence && overlap.correlation >= kStrongCorrelation;
}

Groups connected_groups(std::size_t images, const std::vector<Overlap>& overlaps) {
  std::vector<const Overlap*> order;
  for (const Overlap& overlap : overlaps) order.push_back(&overlap);
  std::sort(order.begin(), order.end(), [](const Overlap* a, const Overlap* b) {
    return std::tuple(-a->coherence, a->first, a->second) < std::tuple(-b->coherence, b->first, b->second);
  });
  Components components(images);
  const std::size_t most = std::max<std::size_t>(20, images / 20);
  for (const Overlap* overlap : order) {
    TUNE_CHECK(overlap->first < images && overlap->second < images);
    if (is_strong(*overlap) || components.joined_size(overlap->first, overlap->second) <= most)
      components.join(overlap->first, overlap->second);
  }
  std::map<std::size_t, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < images; ++i) members[components.root(i)].push_back(i);
  Groups groups;
  for (auto& [root, group] : members)
    if (group.size() > 1) groups.push_back(std::move(group));
  return groups;
}

}  // namespace tune::trainer::data

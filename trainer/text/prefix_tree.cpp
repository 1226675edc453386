#include "trainer/text/prefix_tree.h"

#include <algorithm>

namespace tune::trainer::text {

PrefixTree::PrefixTree(std::vector<std::pair<std::string, std::uint32_t>> texts) {
  std::stable_sort(texts.begin(), texts.end(),
                   [](const auto& left, const auto& right) { return left.first < right.first; });
  // Nodes in the order of their depth, each with the texts that go through it; one depth at a time.
  struct Range {
    std::size_t begin, end;
  };
  std::vector<Range> level{{0, texts.size()}};
  nodes_.emplace_back();
  std::size_t node = 0;
  for (std::size_t depth = 0; !level.empty(); ++depth) {
    std::vector<Range> below;
    for (auto [begin, end] : level) {
      for (; begin < end && texts[begin].first.size() == depth; ++begin)
        if (depth > 0) nodes_[node].value = texts[begin].second;
      nodes_[node].children = static_cast<std::uint32_t>(nodes_.size());
      while (begin < end) {
        const char byte = texts[begin].first[depth];
        std::size_t next = begin;
        while (next < end && texts[next].first[depth] == byte) ++next;
        nodes_[node].count = static_cast<std::uint16_t>(nodes_[node].count + 1);
        nodes_.push_back({0, kNothing, 0, static_cast<unsigned char>(byte)});
        below.push_back({begin, next});
        begin = next;
      }
      ++node;
    }
    level = std::move(below);
  }
  for (std::uint32_t i = 0; i < nodes_[0].count; ++i)
    first_[nodes_[nodes_[0].children + i].byte] = nodes_[0].children + i;
}

std::uint32_t PrefixTree::child_of(const Node& node, unsigned char byte) const {
  std::uint32_t low = node.children, high = node.children + node.count;
  while (low < high) {
    const std::uint32_t middle = (low + high) / 2;
    if (nodes_[middle].byte < byte)
      low = middle + 1;
    else
      high = middle;
  }
  return low < node.children + node.count && nodes_[low].byte == byte ? low : 0;
}

}  // namespace tune::trainer::text

#pragma once
// Which of many texts begin another one.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tune::trainer::text {

// A tree of bytes, immutable.
class PrefixTree {
 public:
  PrefixTree() = default;
  // Texts with what each stands for. An empty text is never found; of equal ones the last counts.
  explicit PrefixTree(std::vector<std::pair<std::string, std::uint32_t>> texts);

  bool is_empty() const { return nodes_.empty(); }
  // Whether a text begins with that byte.
  bool has_first(unsigned char byte) const { return !nodes_.empty() && first_[byte] != 0; }
  // Calls `found(length, value)` for each text that `text` begins with, from the shortest on.
  template <typename Found>
  void each_prefix(std::string_view text, const Found& found) const {
    if (text.empty() || nodes_.empty()) return;
    std::uint32_t node = first_[static_cast<unsigned char>(text[0])];
    for (std::size_t length = 1; node != 0; ++length) {
      if (nodes_[node].value != kNothing) found(length, nodes_[node].value);
      if (length == text.size()) return;
      node = child_of(nodes_[node], static_cast<unsigned char>(text[length]));
    }
  }
  // The longest of them: its length, 0 for none, and its value.
  std::pair<std::size_t, std::uint32_t> longest_prefix(std::string_view text) const {
    std::pair<std::size_t, std::uint32_t> longest{0, 0};
    each_prefix(text, [&](std::size_t length, std::uint32_t value) { longest = {length, value}; });
    return longest;
  }

 private:
  static constexpr std::uint32_t kNothing = 0xFFFFFFFFU;
  struct Node {
    std::uint32_t children = 0;  // where they begin; they lie together, sorted by their bytes
    std::uint32_t value = kNothing;
    std::uint16_t count = 0;  // of children
    unsigned char byte = 0;
  };
  std::uint32_t child_of(const Node& node, unsigned char byte) const;

  std::vector<Node> nodes_;  // 0 is the root
  std::array<std::uint32_t, 256> first_{};
};

}  // namespace tune::trainer::text

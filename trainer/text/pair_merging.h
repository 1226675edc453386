#pragma once
// What the kinds of byte-pair encoding share: the order in which pairs are joined.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace tune::trainer::text {

inline constexpr std::uint32_t kNoRank = 0xFFFFFFFFU;

// Joins the adjacent pair of the lowest rank, the leftmost one first, until no pair has a rank. A `Symbol`
// has the `rank` of its pair with the next symbol and `join(next)`, which makes it that pair. `rate(left,
// right)` sets left's rank, kNoRank for none.
template <typename Symbol, typename Rate>
class PairMerging {
 public:
  explicit PairMerging(const Rate& rate) : rate_(rate) {}

  void apply(std::vector<Symbol>& symbols) const {
    if (symbols.size() <= kShort)
      apply_short(symbols);
    else
      apply_long(symbols);
  }

 private:
  // Up to here the first pair is looked for anew after each merge, which is quicker than a queue.
  static constexpr std::size_t kShort = 48;

  void rate_at(std::vector<Symbol>& symbols, std::size_t at) const {
    if (at + 1 < symbols.size())
      rate_(symbols[at], symbols[at + 1]);
    else
      symbols[at].rank = kNoRank;
  }

  void apply_short(std::vector<Symbol>& symbols) const {
    for (std::size_t i = 0; i < symbols.size(); ++i) rate_at(symbols, i);
    while (symbols.size() > 1) {
      const auto best =
          std::min_element(symbols.begin(), symbols.end(),
                           [](const Symbol& left, const Symbol& right) { return left.rank < right.rank; });
      if (best->rank == kNoRank) return;
      const auto at = static_cast<std::size_t>(best - symbols.begin());
      best->join(best[1]);
      symbols.erase(best + 1);
      if (at > 0) rate_at(symbols, at - 1);
      rate_at(symbols, at);
    }
  }

  void apply_long(std::vector<Symbol>& symbols) const {
    constexpr std::uint32_t kNone = 0xFFFFFFFFU;
    struct Neighbours {
      std::uint32_t before, after;
      bool is_merged;  // into the one before it
    };
    const auto count = static_cast<std::uint32_t>(symbols.size());
    std::vector<Neighbours> neighbours(count);
    // Pairs by rank, then by place; what has changed since is passed over.
    std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> queue;
    const auto offer = [&](std::uint32_t at) {
      const std::uint32_t next = neighbours[at].after;
      symbols[at].rank = kNoRank;
      if (next == kNone) return;
      rate_(symbols[at], symbols[next]);
      if (symbols[at].rank != kNoRank) queue.push(std::uint64_t{symbols[at].rank} << 32U | at);
    };
    for (std::uint32_t i = 0; i < count; ++i)
      neighbours[i] = {i == 0 ? kNone : i - 1, i + 1 == count ? kNone : i + 1, false};
    for (std::uint32_t i = 0; i < count; ++i) offer(i);
    while (!queue.empty()) {
      const auto rank = static_cast<std::uint32_t>(queue.top() >> 32U);
      const auto at = static_cast<std::uint32_t>(queue.top());
      queue.pop();
      if (neighbours[at].is_merged || symbols[at].rank != rank) continue;
      const std::uint32_t gone = neighbours[at].after;
      symbols[at].join(symbols[gone]);
      neighbours[gone].is_merged = true;
      neighbours[at].after = neighbours[gone].after;
      if (neighbours[at].after != kNone) neighbours[neighbours[at].after].before = at;
      if (neighbours[at].before != kNone) offer(neighbours[at].before);
      offer(at);
    }
    std::size_t kept = 0;
    for (std::uint32_t i = 0; i < count; ++i)
      if (!neighbours[i].is_merged) symbols[kept++] = symbols[i];
    symbols.resize(kept);
  }

  const Rate& rate_;
};

template <typename Symbol, typename Rate>
void merge_pairs(std::vector<Symbol>& symbols, const Rate& rate) {
  PairMerging<Symbol, Rate>(rate).apply(symbols);
}

}  // namespace tune::trainer::text

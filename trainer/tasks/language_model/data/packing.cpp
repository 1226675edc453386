#include "trainer/tasks/language_model/data/packing.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "tuner/core/error.h"

namespace tune::trainer::language_model {

std::vector<std::vector<std::size_t>> pack(const std::vector<std::int64_t>& lengths, std::int64_t room) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
  std::vector<std::vector<std::size_t>> rows;
  std::multimap<std::int64_t, std::size_t> left;  // room that is left in a row, and the row
  for (const std::size_t text : order) {
    TUNE_CHECK(lengths[text] <= room, "a text fits into an empty row");
    const auto best = left.lower_bound(lengths[text]);
    const std::size_t row = best == left.end() ? rows.size() : best->second;
    const std::int64_t rest = (best == left.end() ? room : best->first) - lengths[text];
    if (best == left.end())
      rows.emplace_back();
    else
      left.erase(best);
    rows[row].push_back(text);
    left.emplace(rest, row);
  }
  return rows;
}

}  // namespace tune::trainer::language_model

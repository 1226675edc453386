#include "tuner/core/edit_distance.h"

#include <algorithm>
#include <numeric>

#include "tuner/core/characters.h"

namespace tune {
namespace {

// Names as people confuse them: "batch-size", "Batch_Size" and "batch_size" are the same.
std::string folded(std::string_view name) {
  std::string result = lower_case(std::string(name));
  for (char& c : result)
    if (c == '-' || c == ' ') c = '_';
  return result;
}

bool is_abbreviation(const std::string& a, const std::string& b) {
  const auto& [shorter, longer] =
      std::minmax(a, b, [](const auto& x, const auto& y) { return x.size() < y.size(); });
  return shorter.size() >= 2 && longer.starts_with(shorter);
}

// "maximum" and "maximize" differ in three letters, but start alike.
bool start_alike(const std::string& a, const std::string& b) {
  const auto common = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
  return common >= 4 && static_cast<std::size_t>(2 * common) >= std::max(a.size(), b.size());
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongestName = 128;  // no valid name is longer, and the distance is quadratic
  if (name.size() > kLongestName) return std::nullopt;
  const std::string wanted = folded(name);
  const std::string* nearest = nullptr;
  // A third of the letters wrong is still likely the same word; in short names one is.
  const std::size_t most = std::max<std::size_t>(1, wanted.size() / 3);
  std::size_t best = most + 1;
  for (const std::string& candidate : candidates) {
    const std::string known = folded(candidate);
    std::size_t distance = edit_distance(wanted, known);
    if (is_abbreviation(wanted, known)) distance = std::min<std::size_t>(distance, 1);
    if (start_alike(wanted, known)) distance = std::min(distance, most);
    if (distance < best && distance < std::max(wanted.size(), known.size()))
      best = distance, nearest = &candidate;
  }
  return nearest ? std::optional(*nearest) : std::nullopt;
}

std::string name_hint(std::string_view name, const std::vector<std::string>& candidates,
                      const std::string& what) {
  if (const auto nearest = nearest_name(name, candidates)) return "did you mean \"" + *nearest + "\"?";
  if (candidates.empty()) return "there are no " + what;
  std::string text = what + ": ";
  for (std::size_t i = 0; i < candidates.size(); ++i) text += (i ? ", " : "") + candidates[i];
  return text;
}

}  // namespace tune

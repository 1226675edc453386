#include "trainer/tasks/detection/data/split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/core/rng.h"

namespace tune::trainer::detection {

namespace {

using Parts = std::array<std::vector<std::size_t>, 3>;

[[noreturn]] void refuse(const std::string& message, const std::string& hint) {
  throw Error(ExitCode::kBadSpec, "trainer." + message, hint);
}

void parse_fractions(const Json& value, SplitFractions& fractions) {
  const char* hint =
      "Write [train, validation] or [train, validation, test] with the sum 1, as in [0.8, 0.2].";
  if (!value.is_array() || value.size() < 2 || value.size() > 3)
    refuse("split.fractions is no list of two or three numbers", hint);
  std::array<double, 3> parts{};
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!value[i].is_number() || value[i].get<double>() < 0)
      refuse("split.fractions[" + std::to_string(i) + "] is no number of at least 0", hint);
    parts[i] = value[i].get<double>();
  }
  if (std::abs(parts[0] + parts[1] + parts[2] - 1) > 1e-6)
    refuse("split.fractions add up to " + shortest(parts[0] + parts[1] + parts[2]), hint);
  if (parts[0] == 0 || parts[1] == 0)
    refuse("split.fractions leaves nothing to train on or nothing to validate on", hint);
  fractions.train = parts[0];
  fractions.validation = parts[1];
  fractions.test = parts[2];
}

// How many of `count` go to each part. What rounding takes from a part is carried to the next stratum, so
// that many small strata do not starve the small parts.
std::array<std::size_t, 3> share(std::size_t count, const std::array<double, 3>& fractions,
                                 std::array<double, 3>& carry) {
  std::array<std::size_t, 3> sizes{};
  std::array<double, 3> wanted{};
  std::size_t given = 0;
  for (std::size_t p = 0; p < 3; ++p) {
    wanted[p] = fractions[p] * static_cast<double>(count) + carry[p];
    sizes[p] = std::min(static_cast<std::size_t>(std::max(0.0, std::floor(wanted[p] + 1e-9))), count - given);
    given += sizes[p];
  }
  for (; given < count; ++given) {
    std::size_t most = 0;
    for (std::size_t p = 1; p < 3; ++p)
      if (wanted[p] - static_cast<double>(sizes[p]) > wanted[most] - static_cast<double>(sizes[most]) + 1e-9)
        most = p;
    ++sizes[most];
  }
  for (std::size_t p = 0; p < 3; ++p) carry[p] = wanted[p] - static_cast<double>(sizes[p]);
  return sizes;
}

void shuffle(std::vector<std::size_t>& indices, Rng& rng) {
  for (std::size_t i = indices.size(); i > 1; --i) std::swap(indices[i - 1], indices[rng.below(i)]);
}

}  // namespace

SplitFractions parse_split(const Json& split) {
  SplitFractions fractions;
  if (!split.is_object()) refuse("split is no object", R"(Write {"fractions": [0.8, 0.2], "seed": 0}.)");
  for (const auto& [key, value] : split.items()) {
    if (key == "fractions") {
      parse_fractions(value, fractions);
    } else if (key == "seed") {
      if (!value.is_number_unsigned())
        refuse("split.seed is no integer of at least 0", "Write an integer, as in 7.");
      fractions.seed = value.get<std::uint64_t>();
    } else if (key == "grouping") {
      if (value == "content")
        refuse("split.grouping \"content\" is not implemented in this version", "Use \"image\".");
      if (value != "image") refuse("split.grouping is not \"image\"", "Use \"image\".");
    } else {
      refuse("split has the unknown key \"" + key + "\"", "Its keys are fractions, seed and grouping.");
    }
  }
  return fractions;
}

int main_category(const Example& example) {
  std::map<int, std::pair<int, double>> weight;  // category -> (objects, area)
  for (const GroundTruth& object : example.objects) {
    auto& [objects, area] = weight[object.category];
    ++objects;
    area += object.area;
  }
  int best = 0;
  for (const auto& [category, size] : weight)
    if (best == 0 || size > weight[best]) best = category;
  return best;
}

Dataset subset(const Dataset& dataset, std::span<const std::size_t> indices) {
  Dataset part{dataset.classes, dataset.category_ids, {}, dataset.labelled, {}};
  part.examples.reserve(indices.size());
  for (const std::size_t index : indices) part.examples.push_back(dataset.examples.at(index));
  return part;
}

Split split(const Dataset& dataset, const SplitFractions& fractions) {
  std::map<int, std::vector<std::size_t>> strata;
  for (std::size_t i = 0; i < dataset.examples.size(); ++i)
    strata[main_category(dataset.examples[i])].push_back(i);
  const std::array<double, 3> wanted{fractions.train, fractions.validation, fractions.test};
  std::array<double, 3> carry{};
  Parts parts;
  for (auto& [category, indices] : strata) {
    Rng rng(fractions.seed, static_cast<std::uint64_t>(category));
    shuffle(indices, rng);
    const std::array<std::size_t, 3> sizes = share(indices.size(), wanted, carry);
    auto from = indices.begin();
    for (std::size_t p = 0; p < 3; ++p) {
      const auto to = from + static_cast<std::ptrdiff_t>(sizes[p]);
      parts[p].insert(parts[p].end(), from, to);
      from = to;
    }
  }
  for (std::size_t p = 0; p < 3; ++p) {
    std::sort(parts[p].begin(), parts[p].end());
    constexpr std::array kNames{"training", "validation", "test"};
    if (wanted[p] > 0 && parts[p].empty())
      throw Error(ExitCode::kBadData,
                  std::string("the ") + kNames[p] + " set is empty: " + shortest(wanted[p]) + " of " +
                      std::to_string(dataset.examples.size()) + " images",
                  "Give it a larger fraction in split.fractions, or add images.");
  }
  return {subset(dataset, parts[0]), subset(dataset, parts[1]), subset(dataset, parts[2])};
}

}  // namespace tune::trainer::detection

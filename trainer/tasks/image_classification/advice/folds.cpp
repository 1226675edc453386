#include "trainer/tasks/image_classification/advice/folds.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "tuner/core/error.h"
#include "tuner/core/shuffle.h"

namespace tune::trainer::image_classification {
namespace {

std::map<int, std::vector<std::size_t>> shuffled_classes(std::span<const int> labels, Rng& rng) {
  std::map<int, std::vector<std::size_t>> of_class;
  for (std::size_t i = 0; i < labels.size(); ++i) of_class[labels[i]].push_back(i);
  for (auto& [label, members] : of_class) shuffle(members, rng);
  return of_class;
}

}  // namespace

std::vector<std::size_t> stratified_sample(std::span<const int> labels, std::size_t count,
                                           std::uint64_t seed) {
  std::vector<std::size_t> chosen;
  if (count >= labels.size()) {
    chosen.resize(labels.size());
    std::iota(chosen.begin(), chosen.end(), std::size_t{0});
    return chosen;
  }
  Rng rng(seed);
  // The i-th of n images of a class comes at (i + 1/2) / n, so that any beginning holds each class's share;
  // the first of each class comes before all others.
  struct Turn {
    double at;
    int label;
    std::size_t image;
  };
  std::vector<Turn> turns;
  for (const auto& [label, members] : shuffled_classes(labels, rng))
    for (std::size_t i = 0; i < members.size(); ++i)
      turns.push_back({i == 0 ? 0 : (static_cast<double>(i) + 0.5) / static_cast<double>(members.size()),
                       label, members[i]});
  std::sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) {
    return std::tie(a.at, a.label, a.image) < std::tie(b.at, b.label, b.image);
  });
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(turns[i].image);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::vector<std::size_t> group_numbers(std::size_t images, const data::Groups& groups) {
  std::vector<std::size_t> numbers(images);
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  for (const auto& group : groups)
    for (const std::size_t image : group) numbers[image] = group.front();
  return numbers;
}

std::vector<int> stratified_folds(std::span<const int> labels, const data::Groups& groups, int folds,
                                  std::uint64_t seed) {
  TUNE_CHECK(folds > 0);
  const std::vector<std::size_t> numbers = group_numbers(labels.size(), groups);
  std::map<std::size_t, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < labels.size(); ++i) members[numbers[i]].push_back(i);
  std::vector<std::size_t> order;
  for (const auto& [number, images] : members) order.push_back(number);
  Rng rng(seed);
  shuffle(order, rng);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return members.at(a).size() > members.at(b).size(); });
  std::map<int, std::vector<std::size_t>> of_class;  // images of that class in each fold
  std::vector<std::size_t> all(static_cast<std::size_t>(folds), 0);
  std::vector<int> fold_of(labels.size(), 0);
  for (const std::size_t number : order) {
    const std::vector<std::size_t>& images = members.at(number);
    auto& own = of_class.try_emplace(labels[images.front()], all.size(), 0).first->second;
    std::size_t best = 0;
    for (std::size_t fold = 1; fold < all.size(); ++fold)
      if (std::pair(own[fold], all[fold]) < std::pair(own[best], all[best])) best = fold;
    for (const std::size_t image : images) {
      fold_of[image] = static_cast<int>(best);
      ++of_class.try_emplace(labels[image], all.size(), 0).first->second[best];
      ++all[best];
    }
  }
  return fold_of;
}

}  // namespace tune::trainer::image_classification

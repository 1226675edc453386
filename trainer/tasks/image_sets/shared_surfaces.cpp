#include "trainer/tasks/image_sets/shared_surfaces.h"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>

#include "trainer/data/overlap_search.h"
#include "tuner/core/json.h"

namespace tune::trainer::image_sets {
namespace {

// Some minutes on two cores. Beyond, a trial does not compare unasked.
constexpr std::uint64_t kMostPairs = 10'000'000;
constexpr std::size_t kShownPairs = 10;

}  // namespace

std::string SharedSurfaces::listed() const {
  std::string text;
  for (std::size_t i = 0; i < std::min(kShownPairs, pairs.size()); ++i) text += "\n  - " + pairs[i];
  if (pairs.size() > kShownPairs) text += "\n  - and " + std::to_string(pairs.size() - kShownPairs) + " more";
  return text;
}

std::optional<SharedSurfaces> shared_surfaces(const std::vector<std::filesystem::path>& one,
                                              const std::vector<std::filesystem::path>& other,
                                              const Comparing& comparing) {
  data::OverlapSearch search;
  search.threads = comparing.threads;
  search.notes = &comparing.notes;
  search.interrupted = comparing.interrupted;
  search.images = one;
  search.images.insert(search.images.end(), other.begin(), other.end());
  search.sets.assign(one.size(), 0);
  search.sets.resize(search.images.size(), 1);
  if (data::pairs_to_compare(search) > kMostPairs) return std::nullopt;
  SharedSurfaces shared;
  std::set<std::size_t> of_other;
  for (const data::Overlap& overlap : data::find_overlaps(search)) {
    of_other.insert(overlap.second);  // the second set's images come last
    shared.pairs.push_back(search.images[overlap.first].string() + " and " +
                           search.images[overlap.second].string() + ", shifted by (" +
                           std::to_string(overlap.dx) + ", " + std::to_string(overlap.dy) +
                           ") pixels, correlation " + shortest(std::round(overlap.correlation * 100) / 100));
  }
  shared.images = of_other.size();
  return shared;
}

void warn_unchecked(const std::string& data, const std::string& other, std::ostream& notes) {
  notes << "warning: " << data << " and " << other
        << " are too many images to look for overlaps here; `tune-train "
        << "audit --data " << data << " --against " << other << "` does\n";
}

}  // namespace tune::trainer::image_sets

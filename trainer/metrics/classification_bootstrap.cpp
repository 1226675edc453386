#include "trainer/metrics/classification_bootstrap.h"

#include <algorithm>

#include "trainer/metrics/bootstrap.h"
#include "tuner/core/error.h"

namespace tune::trainer::metrics {
namespace {

struct Resample {
  double accuracy = 0, macro_f1 = 0;
};

// Each example counted as often as `counts` says.
Resample weighted_quality(std::span<const Labels> truth, std::span<const Labels> predicted,
                          std::span<const std::uint32_t> counts, bool multi_label,
                          std::vector<ClassTally>& tallies) {
  std::fill(tallies.begin(), tallies.end(), ClassTally{});
  std::int64_t examples = 0, exact = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const std::int64_t count = counts[i];
    if (count == 0) continue;
    examples += count;
    exact += truth[i] == predicted[i] ? count : 0;
    for (const int label : truth[i]) tallies.at(static_cast<std::size_t>(label)).support += count;
    for (const int label : predicted[i]) {
      ClassTally& tally = tallies.at(static_cast<std::size_t>(label));
      tally.predicted += count;
      if (std::binary_search(truth[i].begin(), truth[i].end(), label)) tally.right += count;
    }
  }
  return {examples == 0 ? 0 : static_cast<double>(exact) / static_cast<double>(examples),
          macro_rates(tallies, /*absent=*/multi_label).f1};
}

}  // namespace

ResampledQuality bootstrap_quality(std::span<const Labels> truth,
                                   std::span<const std::vector<Labels>> predicted, std::size_t classes,
                                   bool multi_label, const std::vector<std::vector<std::uint32_t>>& groups,
                                   std::size_t resamples, std::uint64_t seed,
                                   const std::function<void(std::size_t done)>& done) {
  ResampledQuality result;
  result.accuracy.resize(predicted.size());
  result.macro_f1.resize(predicted.size());
  std::vector<ClassTally> tallies(classes);
  for (std::size_t n = 0; n < resamples; ++n) {
    const std::vector<std::uint32_t> counts = draw_images(groups, truth.size(), seed, n);
    for (std::size_t m = 0; m < predicted.size(); ++m) {
      TUNE_CHECK(predicted[m].size() == truth.size());
      const Resample one = weighted_quality(truth, predicted[m], counts, multi_label, tallies);
      result.accuracy[m].push_back(one.accuracy);
      result.macro_f1[m].push_back(one.macro_f1);
    }
    done(n + 1);
  }
  return result;
}

}  // namespace tune::trainer::metrics

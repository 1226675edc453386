#include "trainer/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "trainer/metrics/coco_curves.h"
#include "tuner/core/quantile.h"
#include "tuner/core/rng.h"

namespace tune::trainer::metrics {

std::vector<std::uint32_t> draw_images(const std::vector<std::vector<std::uint32_t>>& groups,
                                       std::size_t images, std::uint64_t seed, std::size_t resample) {
  Rng rng(seed, resample);
  std::vector<std::uint32_t> counts(images);
  for (std::size_t draw = 0; draw < groups.size(); ++draw)
    for (const std::uint32_t image : groups[rng.below(groups.size())]) ++counts[image];
  return counts;
}

ResampledPrecision bootstrap(std::span<const std::vector<JudgedClass>> detectors,
                             const std::vector<std::vector<std::uint32_t>>& groups, std::size_t images,
                             std::size_t resamples, std::uint64_t seed,
                             const std::function<void(std::size_t done)>& done) {
  ResampledPrecision result;
  result.ap.resize(detectors.size());
  result.ap50.resize(detectors.size());
  std::vector<ClassCurves> curves;
  for (std::size_t n = 0; n < resamples; ++n) {
    const std::vector<std::uint32_t> counts = draw_images(groups, images, seed, n);
    for (std::size_t d = 0; d < detectors.size(); ++d) {
      curves.resize(detectors[d].size());
      for (std::size_t c = 0; c < curves.size(); ++c)
        trace_curves(detectors[d][c], /*area=*/0, counts, curves[c]);
      result.ap[d].push_back(mean_precision(curves, 0, kOverlapThresholds.size() - 1));
      result.ap50[d].push_back(mean_precision(curves, 0, 0));
    }
    done(n + 1);
  }
  return result;
}

Interval middle_interval(std::vector<double> numbers, double share) {
  std::sort(numbers.begin(), numbers.end());
  return {quantile(numbers, (1 - share) / 2), quantile(numbers, (1 + share) / 2)};
}

std::vector<double> differences(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> result;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] >= 0 && b[i] >= 0) result.push_back(a[i] - b[i]);
  return result;
}

}  // namespace tune::trainer::metrics

#pragma once
// A paired bootstrap of accuracy and macro F1 over groups of examples, as bootstrap.h has it for detectors.
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "trainer/metrics/classification_quality.h"

namespace tune::trainer::metrics {

struct ResampledQuality {
  std::vector<std::vector<double>> accuracy, macro_f1;  // [models][resamples], in [0, 1]
};

// Every model is scored on the same examples in each resample, drawn by draw_images(). `predicted` are
// [models][examples]. `done` hears how many resamples are finished, in this thread.
ResampledQuality bootstrap_quality(std::span<const Labels> truth,
                                   std::span<const std::vector<Labels>> predicted, std::size_t classes,
                                   bool multi_label, const std::vector<std::vector<std::uint32_t>>& groups,
                                   std::size_t resamples, std::uint64_t seed,
                                   const std::function<void(std::size_t done)>& done);

}  // namespace tune::trainer::metrics

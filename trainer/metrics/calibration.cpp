#include "trainer/metrics/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "tuner/core/error.h"

namespace tune::trainer::metrics {
namespace {

struct Bin {
  double right = 0, probability = 0;  // sums over its examples
};

std::size_t bin_of(double probability) {
  std::size_t bin = 0;
  while (bin + 1 < kCalibrationBins && probability > static_cast<double>(bin + 1) / kCalibrationBins) ++bin;
  return bin;
}

}  // namespace

double log_loss(std::span<const int> truth, const ClassScores& probabilities) {
  TUNE_CHECK(truth.size() == probabilities.examples());
  constexpr double kLeast = std::numeric_limits<double>::epsilon();
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i)
    sum -= std::log(std::clamp(probabilities.of(i)[static_cast<std::size_t>(truth[i])], kLeast, 1 - kLeast));
  return truth.empty() ? 0 : sum / static_cast<double>(truth.size());
}

double expected_calibration_error(std::span<const int> truth, const ClassScores& probabilities) {
  TUNE_CHECK(truth.size() == probabilities.examples());
  const std::vector<int> predicted = likeliest(probabilities);
  std::array<Bin, kCalibrationBins> bins{};
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double probability = probabilities.of(i)[static_cast<std::size_t>(predicted[i])];
    Bin& bin = bins[bin_of(probability)];
    bin.right += predicted[i] == truth[i];
    bin.probability += probability;
  }
  double sum = 0;
  for (const Bin& bin : bins) sum += std::abs(bin.right - bin.probability);
  return truth.empty() ? 0 : sum / static_cast<double>(truth.size());
}

}  // namespace tune::trainer::metrics

#pragma once
// Whether probabilities are what they say.
#include <span>

#include "trainer/metrics/class_scores.h"

namespace tune::trainer::metrics {

// The mean negative natural logarithm of the true class's probability, which is cut to [e, 1 - e] with e the
// distance from 1 to the next double, as scikit-learn's log_loss() cuts it. 0 without examples.
double log_loss(std::span<const int> truth, const ClassScores& probabilities);

inline constexpr int kCalibrationBins = 15;

// The expected calibration error (Naeini et al., AAAI 2015; Guo et al., "On Calibration of Modern Neural
// Networks", ICML 2017): examples fall into kCalibrationBins equally wide bins of their largest probability,
// each open below and closed above, the first with 0; the mean over examples of the distance between the
// accuracy and the mean probability of their bin. 0 without examples.
double expected_calibration_error(std::span<const int> truth, const ClassScores& probabilities);

}  // namespace tune::trainer::metrics

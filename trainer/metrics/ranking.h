#pragma once
// How well scores put what is true before what is not, over all thresholds.
#include <cstdint>
#include <optional>
#include <span>

namespace tune::trainer::metrics {

// The area under the ROC curve: the chance that a true example has a larger score than one that is not, where
// equal scores count half (Hanley & McNeil, Radiology 143, 1982). nullopt where either kind is missing.
std::optional<double> roc_auc(std::span<const std::uint8_t> is_true, std::span<const double> scores);

// The mean precision at each recall that a threshold reaches, without interpolation, as scikit-learn's
// average_precision_score(): equal scores are taken in together. 0 where nothing is true, as there.
double average_precision(std::span<const std::uint8_t> is_true, std::span<const double> scores);

}  // namespace tune::trainer::metrics

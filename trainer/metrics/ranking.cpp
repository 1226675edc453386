#include "trainer/metrics/ranking.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "tuner/core/error.h"

namespace tune::trainer::metrics {
namespace {

// Examples that have the same score.
struct Step {
  double right = 0, wrong = 0;
};

// By falling score.
std::vector<Step> steps_of(std::span<const std::uint8_t> is_true, std::span<const double> scores) {
  TUNE_CHECK(is_true.size() == scores.size());
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  std::vector<Step> steps;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || scores[order[i]] != scores[order[i - 1]]) steps.emplace_back();
    ++(is_true[order[i]] != 0 ? steps.back().right : steps.back().wrong);
  }
  return steps;
}

}  // namespace

std::optional<double> roc_auc(std::span<const std::uint8_t> is_true, std::span<const double> scores) {
  double right = 0, wrong = 0, area = 0;
  for (const Step& step : steps_of(is_true, scores)) {
    area += step.wrong * (right + step.right / 2);
    right += step.right;
    wrong += step.wrong;
  }
  if (right == 0 || wrong == 0) return std::nullopt;
  return area / (right * wrong);
}

double average_precision(std::span<const std::uint8_t> is_true, std::span<const double> scores) {
  double right = 0, seen = 0, sum = 0;
  for (const Step& step : steps_of(is_true, scores)) {
    right += step.right;
    seen += step.right + step.wrong;
    sum += step.right * right / seen;
  }
  return right == 0 ? 0 : sum / right;
}

}  // namespace tune::trainer::metrics

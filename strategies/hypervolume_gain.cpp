#include "strategies/hypervolume_gain.h"

#include <cmath>
#include <limits>

#include "strategies/normal_distribution.h"

namespace tune::strategies {
namespace {

// The logarithm of an expectation, with its derivatives by the mean and by the deviation.
struct LogTerm {
  double value = 0, by_mean = 0, by_deviation = 0;
};

// log E[max(edge - Y, 0)], Y normal.
LogTerm log_below(double edge, double mean, double deviation) {
  const double u = (edge - mean) / deviation;
  const LogImprovement h = log_improvement(u);
  return {std::log(deviation) + h.value, -h.slope / deviation, (1 - u * h.slope) / deviation};
}

// log E[max(high - max(low, Y), 0)]: of the part of a strip beside Y. `below_low` and `below_high` are those
// of log_below at its ends.
LogTerm log_beside(double low, double high, const LogTerm& below_low, const LogTerm& below_high, double mean,
                   double deviation) {
  const double difference = below_low.value - below_high.value;  // negative
  // Where the two are the same but for rounding, the strip is so thin that its middle stands for it.
  constexpr double kCancelled = -1e-6;
  if (difference > kCancelled) {
    const double u = ((low + high) / 2 - mean) / deviation;
    const LogCumulative cumulative = log_cumulative(u);
    return {std::log(high - low) + cumulative.value, -cumulative.slope / deviation,
            -u * cumulative.slope / deviation};
  }
  const double ratio = std::exp(difference), rest = -std::expm1(difference);
  return {below_high.value + std::log(rest), (below_high.by_mean - ratio * below_low.by_mean) / rest,
          (below_high.by_deviation - ratio * below_low.by_deviation) / rest};
}

}  // namespace

FrontStrips strips_of(const std::vector<LossPair>& points, const LossPair& reference) {
  FrontStrips strips;
  strips.ceilings.push_back(reference[1]);
  for (const std::size_t i : front_of(points)) {
    const auto& [first, second] = points[i];
    if (first >= reference[0] || second >= strips.ceilings.back()) continue;
    strips.edges.push_back(first);
    strips.ceilings.push_back(second);
  }
  strips.edges.push_back(reference[0]);
  return strips;
}

LogHypervolumeGain log_hypervolume_gain(const FrontStrips& strips, const std::array<double, 2>& means,
                                        const std::array<double, 2>& deviations) {
  LogHypervolumeGain gain;
  gain.value = -std::numeric_limits<double>::infinity();
  double scale = 0;  // of the derivatives: the sum of exp(term - gain.value)
  LogTerm below_low;
  for (std::size_t i = 0; i < strips.edges.size(); ++i) {
    const LogTerm below_high = log_below(strips.edges[i], means[0], deviations[0]);
    const LogTerm first = i == 0 ? below_high
                                 : log_beside(strips.edges[i - 1], strips.edges[i], below_low, below_high,
                                              means[0], deviations[0]);
    const LogTerm second = log_below(strips.ceilings[i], means[1], deviations[1]);
    below_low = below_high;
    const double term = first.value + second.value;
    if (term > gain.value) {
      const double shrink = std::exp(gain.value - term);
      scale *= shrink;
      for (std::size_t j = 0; j < 2; ++j) gain.by_mean[j] *= shrink, gain.by_deviation[j] *= shrink;
      gain.value = term;
    }
    const double share = std::exp(term - gain.value);
    scale += share;
    gain.by_mean[0] += share * first.by_mean;
    gain.by_mean[1] += share * second.by_mean;
    gain.by_deviation[0] += share * first.by_deviation;
    gain.by_deviation[1] += share * second.by_deviation;
  }
  gain.value += std::log(scale);
  for (std::size_t j = 0; j < 2; ++j) gain.by_mean[j] /= scale, gain.by_deviation[j] /= scale;
  return gain;
}

}  // namespace tune::strategies

#include "trainer/metrics/class_tally.h"

namespace tune::trainer::metrics {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void add(Rates& sum, const Rates& rates, double weight) {
  sum.precision += weight * rates.precision;
  sum.recall += weight * rates.recall;
  sum.f1 += weight * rates.f1;
}

Rates divided(const Rates& sum, double weight) {
  return weight == 0 ? Rates{} : Rates{sum.precision / weight, sum.recall / weight, sum.f1 / weight};
}

}  // namespace

Rates rates_of(const ClassTally& tally) {
  return {share(tally.right, tally.predicted), share(tally.right, tally.support),
          share(2 * tally.right, tally.predicted + tally.support)};
}

Rates macro_rates(std::span<const ClassTally> classes, bool absent) {
  Rates sum;
  double counted = 0;
  for (const ClassTally& tally : classes) {
    if (!absent && tally.predicted == 0 && tally.support == 0) continue;
    add(sum, rates_of(tally), 1);
    ++counted;
  }
  return divided(sum, counted);
}

Rates weighted_rates(std::span<const ClassTally> classes) {
  Rates sum;
  double weights = 0;
  for (const ClassTally& tally : classes) {
    const auto weight = static_cast<double>(tally.support);
    add(sum, rates_of(tally), weight);
    weights += weight;
  }
  return divided(sum, weights);
}

Rates micro_rates(std::span<const ClassTally> classes) {
  ClassTally all;
  for (const ClassTally& tally : classes) {
    all.right += tally.right;
    all.predicted += tally.predicted;
    all.support += tally.support;
  }
  return rates_of(all);
}

}  // namespace tune::trainer::metrics

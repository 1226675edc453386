#include "trainer/metrics/rank_correlation.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "tuner/core/error.h"

namespace tune::trainer::metrics {
namespace {

std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t from = 0; from < order.size();) {
    std::size_t to = from;
    while (to < order.size() && values[order[to]] == values[order[from]]) ++to;
    const double mean = static_cast<double>(from + to + 1) / 2;  // of from + 1 to `to`
    for (; from < to; ++from) ranks[order[from]] = mean;
  }
  return ranks;
}

}  // namespace

double spearman(std::span<const double> a, std::span<const double> b) {
  TUNE_CHECK(a.size() == b.size());
  const std::vector<double> one = ranks_of(a), other = ranks_of(b);
  const double mean = static_cast<double>(a.size() + 1) / 2;
  double both = 0, of_one = 0, of_other = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    both += (one[i] - mean) * (other[i] - mean);
    of_one += (one[i] - mean) * (one[i] - mean);
    of_other += (other[i] - mean) * (other[i] - mean);
  }
  return of_one == 0 || of_other == 0 ? 0 : both / std::sqrt(of_one * of_other);
}

std::vector<double> class_values(const std::vector<std::string>& classes) {
  std::vector<double> values;
  for (const std::string& name : classes) {
    double value = 0;
    const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), value);
    if (error != std::errc() || rest != name.data() + name.size() || !std::isfinite(value)) return {};
    values.push_back(value);
  }
  return values;
}

std::optional<double> rank_correlation(const LabelSet& truth, std::span<const Labels> said) {
  TUNE_CHECK(truth.labels.size() == said.size());
  const std::vector<double> values = class_values(truth.classes);
  if (values.empty() || truth.multi_label) return std::nullopt;
  std::vector<double> a, b;
  for (std::size_t i = 0; i < said.size(); ++i) {
    a.push_back(values[static_cast<std::size_t>(truth.labels[i].front())]);
    b.push_back(values[static_cast<std::size_t>(said[i].front())]);
  }
  return spearman(a, b);
}

}  // namespace tune::trainer::metrics

#include "strategies/parzen_mixture.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "strategies/dense_algebra.h"
#include "strategies/normal_distribution.h"

namespace tune::strategies {
namespace {

std::size_t category_of(const ParzenAxis& axis, double u) {
  const auto found = std::lower_bound(axis.categories.begin(), axis.categories.end(), u - 1e-12);
  return std::min(static_cast<std::size_t>(found - axis.categories.begin()), axis.categories.size() - 1);
}

// A normal cut to [0, 1], by its quantile.
double cut_normal(double centre, double width, double u) {
  const double low = normal_cumulative(-centre / width), high = normal_cumulative((1 - centre) / width);
  const double p = std::clamp(low + u * (high - low), 1e-15, 1 - 1e-15);
  return std::clamp(centre + width * normal_quantile(p), 0.0, 1.0);
}

}  // namespace

ParzenMixture::ParzenMixture(const std::vector<ParzenAxis>& axes, std::span<const UnitPoint* const> centres,
                             std::span<const double> weights)
    : axes_(axes) {
  const auto n = static_cast<Eigen::Index>(centres.size());
  double total = 1;
  for (const double w : weights) total += w;
  cumulative_.resize(n);
  log_factors_.resize(n);
  double sum = 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    const double share = weights[static_cast<std::size_t>(i)] / total;
    cumulative_[i] = sum += share;
    log_factors_[i] = share;  // times what the axes have, before the one logarithm at the end
  }
  log_prior_ = -std::log(total);
  const auto numbers = std::count_if(axes_.begin(), axes_.end(),
                                     [](const ParzenAxis& axis) { return axis.categories.empty(); });
  numbers_.resize(n, numbers);
  precisions_.resize(numbers);
  Eigen::Index number = 0;
  double log_scale = 0;  // of all axes of numbers
  for (const ParzenAxis& axis : axes_) {
    if (axis.categories.empty()) {
      add_number(axis, number++, centres);
      log_scale += std::log(columns_.back().width * std::sqrt(2 * std::numbers::pi));
    } else {
      add_category(axis, centres);
      log_prior_ -= std::log(static_cast<double>(axis.categories.size()));
    }
  }
  log_factors_ = log_factors_.log() - log_scale;
}

void ParzenMixture::add_number(const ParzenAxis& axis, Eigen::Index number,
                               std::span<const UnitPoint* const> centres) {
  const double n = std::max(1.0, static_cast<double>(centres.size()));
  Column column;
  column.number = number;
  column.width = std::max({0.2 * std::pow(n, -1 / (4 + static_cast<double>(axes_.size()))),
                           1 / std::min(100.0, n + 2), axis.narrowest});
  precisions_[number] = 0.5 / (column.width * column.width);
  // The mass beyond a border. For a border further away than this it is 3e-5 and does not matter.
  constexpr double kFar = 4;
  const auto beyond = [&](double distance) {
    return distance < kFar * column.width ? normal_cumulative(-distance / column.width) : 0;
  };
  for (std::size_t i = 0; i < centres.size(); ++i) {
    const auto k = static_cast<Eigen::Index>(i);
    const double centre = (*centres[i])[axis.parameter];
    numbers_(k, number) = centre;
    log_factors_[k] /= 1 - beyond(centre) - beyond(1 - centre);
  }
  columns_.push_back(std::move(column));
}

void ParzenMixture::add_category(const ParzenAxis& axis, std::span<const UnitPoint* const> centres) {
  const double kernels = static_cast<double>(centres.size()) + 1;
  const double values = static_cast<double>(axis.categories.size());
  Column column;
  column.centres.resize(static_cast<Eigen::Index>(centres.size()));
  for (std::size_t i = 0; i < centres.size(); ++i) {
    column.centres[static_cast<Eigen::Index>(i)] =
        static_cast<double>(category_of(axis, (*centres[i])[axis.parameter]));
  }
  column.log_same = std::log((1 + 1 / kernels) / (1 + values / kernels));
  column.log_other = std::log((1 / kernels) / (1 + values / kernels));
  column.chance_same = 1 / (1 + values / kernels);  // the rest is spread over all categories
  columns_.push_back(std::move(column));
}

void ParzenMixture::draw(UnitPoint& unit, Rng& rng) const {
  const double at = rng.uniform();
  Eigen::Index kernel = 0;
  while (kernel < cumulative_.size() && cumulative_[kernel] <= at) ++kernel;
  const bool prior = kernel == cumulative_.size();
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    const ParzenAxis& axis = axes_[a];
    const Column& column = columns_[a];
    const double u = rng.uniform(), spread = rng.uniform();
    double& coordinate = unit[axis.parameter];
    if (axis.categories.empty()) {
      coordinate = prior ? u : cut_normal(numbers_(kernel, column.number), column.width, u);
    } else {
      const double values = static_cast<double>(axis.categories.size());
      const bool same = !prior && u < column.chance_same;
      coordinate = axis.categories[static_cast<std::size_t>(same ? column.centres[kernel]
                                                                 : std::floor(spread * values))];
    }
  }
}

double ParzenMixture::log_density(const UnitPoint& unit) const {
  Eigen::ArrayXd logs = log_factors_;
  Eigen::VectorXd at(numbers_.cols());
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    const Column& column = columns_[a];
    const double u = unit[axes_[a].parameter];
    if (column.number >= 0) {
      at[column.number] = u;
    } else {
      const double here = static_cast<double>(category_of(axes_[a], u));
      logs += (column.centres == here)
                  .select(Eigen::ArrayXd::Constant(logs.size(), column.log_same), column.log_other);
    }
  }
  return log_mixture(numbers_, at, precisions_, log_prior_, logs);
}

}  // namespace tune::strategies

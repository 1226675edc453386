#include "strategies/grid_walk.h"

#include <limits>

namespace tune::strategies {
namespace {

constexpr std::size_t kInactive = std::numeric_limits<std::size_t>::max();

}  // namespace

std::size_t grid_values(const Parameter& parameter) {
  const std::size_t all = parameter.cardinality();
  if (!parameter.levels) return all;
  const auto levels = static_cast<std::size_t>(*parameter.levels);
  return all == 0 || levels < all ? levels : all;
}

GridWalk::GridWalk(const SearchSpace& space, bool use_levels)
    : space_(space), use_levels_(use_levels), digits_(space.size(), kInactive) {
  fill_from(0);
}

const Parameter& GridWalk::parameter_at(std::size_t position) const {
  return space_.parameters()[space_.dependency_order()[position]];
}

std::size_t GridWalk::value_count(std::size_t position) const {
  const Parameter& parameter = parameter_at(position);
  return use_levels_ ? grid_values(parameter) : parameter.cardinality();
}

Json GridWalk::value(std::size_t position, std::size_t digit) const {
  const Parameter& parameter = parameter_at(position);
  const std::size_t count = value_count(position);
  if (count == parameter.cardinality()) return parameter.value_at(digit);
  // Levels lie on the scale, ends included.
  return parameter.from_unit(count > 1 ? static_cast<double>(digit) / static_cast<double>(count - 1) : 0.5);
}

void GridWalk::fill_from(std::size_t position) {
  for (std::size_t i = position; i < digits_.size(); ++i) point_.erase(parameter_at(i).name);
  for (std::size_t i = position; i < digits_.size(); ++i) {
    digits_[i] = kInactive;
    if (!space_.is_active(space_.dependency_order()[i], point_)) continue;
    digits_[i] = 0;
    point_[parameter_at(i).name] = value(i, 0);
  }
}

bool GridWalk::advance() {
  for (std::size_t i = digits_.size(); i-- > 0;) {
    if (digits_[i] == kInactive || digits_[i] + 1 >= value_count(i)) continue;
    ++digits_[i];
    point_[parameter_at(i).name] = value(i, digits_[i]);
    fill_from(i + 1);
    return true;
  }
  return false;
}

}  // namespace tune::strategies

#include "strategies/grid_walk.h"

#include <limits>

namespace tune::strategies {
namespace {

constexpr std::size_t kInactive = std::numeric_limits<std::size_t>::max();

}  // namespace

GridWalk::GridWalk(const SearchSpace& space) : space_(space), digits_(space.size(), kInactive) {
  fill_from(0);
}

const Parameter& GridWalk::parameter_at(std::size_t position) const {
  return space_.parameters()[space_.dependency_order()[position]];
}

void GridWalk::fill_from(std::size_t position) {
  for (std::size_t i = position; i < digits_.size(); ++i) point_.erase(parameter_at(i).name);
  for (std::size_t i = position; i < digits_.size(); ++i) {
    digits_[i] = kInactive;
    if (!space_.is_active(space_.dependency_order()[i], point_)) continue;
    digits_[i] = 0;
    point_[parameter_at(i).name] = parameter_at(i).value_at(0);
  }
}

bool GridWalk::advance() {
  for (std::size_t i = digits_.size(); i-- > 0;) {
    if (digits_[i] == kInactive || digits_[i] + 1 >= parameter_at(i).cardinality()) continue;
    ++digits_[i];
    point_[parameter_at(i).name] = parameter_at(i).value_at(digits_[i]);
    fill_from(i + 1);
    return true;
  }
  return false;
}

}  // namespace tune::strategies

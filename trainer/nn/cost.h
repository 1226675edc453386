#pragma once
// What networks cost, by the number of classes that they tell apart.
#include <cstddef>
#include <cstdint>

namespace tune::trainer::nn {

// `fixed` and as much again as `per_class` for each class.
struct Cost {
  std::int64_t fixed, per_class;
  std::int64_t of(std::size_t classes) const {
    return fixed + per_class * static_cast<std::int64_t>(classes);
  }
};

}  // namespace tune::trainer::nn

#pragma once
// Stages of a network whose body is one sequence of layers, "features".
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/nn/stages.h"

namespace tune::trainer::nn {

// A new stage begins at each layer that halves the map.
class FeatureStages {
 public:
  // The next layer of the sequence, by the stride of its convolution.
  void add(std::int64_t stride) {
    if (stages_.empty() || stride > 1) {
      stages_.emplace_back();
      first_ = next_;
    }
    const std::string place = "features." + std::to_string(next_);
    stages_.back().prefixes.push_back(place + ".");
    stages_.back().name =
        "features." + std::to_string(first_) + (first_ == next_ ? "" : "-" + std::to_string(next_));
    ++next_;
  }
  const std::vector<Stage>& stages() const { return stages_; }

 private:
  std::vector<Stage> stages_;
  int next_ = 0, first_ = 0;
};

}  // namespace tune::trainer::nn

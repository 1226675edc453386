#pragma once
// Images whose neighbours in the space of a network's features are of another class.
#include <cstddef>
#include <span>
#include <vector>

#include "trainer/torch_compat.h"

namespace tune::trainer::image_classification {

struct LabelDoubt {
  std::size_t image = 0;
  int suggested = 0;    // the class of most of its neighbours
  double strength = 0;  // what speaks for that class less what speaks for its own, of all: 0 to 1
  std::vector<std::size_t> neighbours;  // the nearest first
};

// Doubts that are as good as certain: nearly all neighbours speak for one other class.
inline constexpr double kStrongDoubt = 0.75;

// Of all images that have one, the strongest first. Each image is judged by its `neighbours` nearest ones by
// the cosine of standardised features, each counting by its cosine; not by itself, nor by those of its group,
// which show the same surface and have the same mistake. `features` are [images, features] on the CPU.
std::vector<LabelDoubt> label_doubts(const torch::Tensor& features, std::span<const int> labels,
                                     std::span<const std::size_t> groups, int neighbours);

}  // namespace tune::trainer::image_classification

#pragma once
// What an image of a set shows besides that which many others show in the same place: a frame, a grid of
// conductors, the light of one camera. Used by overlap_search.cpp alone.
#include <cstddef>
#include <vector>

#include "trainer/data/plane.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::data {

// Finds it for planes of one size, which it does not own and which must outlive it. Built by one thread;
// own_part() may then run on any number of threads, and gives the same on each.
class CommonPart {
 public:
  explicit CommonPart(std::vector<const Plane*> planes);

  // Fewer planes have nothing that could be known as common.
  static constexpr std::size_t kFewest = 40;

  // The planes begin, ..., end - 1 without their common parts: less that multiple of it which leaves least.
  // The common part of a plane is the mean of those like it, from the 11th to the 30th by their correlation
  // without a shift (at most half of all). The first ten stay out, since they may show the same surface.
  std::vector<Plane> own_parts(std::size_t begin, std::size_t end) const;

 private:
  Plane own_part(std::size_t plane, const std::int64_t* nearest) const;

  std::vector<const Plane*> planes_;
  std::int64_t most_ = 0;       // that are looked at, the ten among them
  torch::Tensor standardised_;  // float [planes, pixels] of half the size, each row of norm 1
};

}  // namespace tune::trainer::data

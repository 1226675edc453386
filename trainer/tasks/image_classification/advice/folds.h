#pragma once
// Which images of a labelled set are looked at together, and which measure what others have taught.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/data/split.h"

namespace tune::trainer::image_classification {

// Indices of `count` images, ascending, each class with nearly its share, and at least one of each class
// where `count` allows. The same arguments give the same images.
std::vector<std::size_t> stratified_sample(std::span<const int> labels, std::size_t count,
                                           std::uint64_t seed);

// A number from 0 to folds - 1 for each image. Images of a group are in one fold, and each class is spread as
// evenly as groups allow: large groups are placed first, each where its class is rarest so far.
std::vector<int> stratified_folds(std::span<const int> labels, const data::Groups& groups, int folds,
                                  std::uint64_t seed);

// For each image the number of its group: those in none have one of their own.
std::vector<std::size_t> group_numbers(std::size_t images, const data::Groups& groups);

}  // namespace tune::trainer::image_classification

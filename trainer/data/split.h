#pragma once
// The arithmetic of a cut: which indices of images go to training, validation and test, for any task. It
// opens no image, and takes the groups that stay together as given.
#include <cstdint>
#include <span>
#include <vector>

#include "tuner/core/json.h"

namespace tune::trainer::data {

enum class Grouping {
  kImage,    // cut image by image: overlapping crops of one photograph may land on both sides
  kContent,  // images that show the same surface stay on one side
};

struct SplitFractions {
  double train = 0.8, validation = 0.2, test = 0;  // each >= 0, together 1
  std::uint64_t seed = 0;
  Grouping grouping = Grouping::kImage;
};

// The trainer's `split`: {"fractions": [train, validation] or [train, validation, test], "seed": 0,
// "grouping": "image" or "content"}, every key optional. Throws Error(kBadSpec) naming the key.
SplitFractions parse_split(const Json& split, bool may_skip_validation = false);

// The classes of one image, from 1.
struct ImageClasses {
  int main = 0;            // what it counts as; 0 for an image without a class
  std::vector<int> shown;  // what can be learned from it, each once
};

// Indices of images, ascending.
struct SplitIndices {
  std::vector<std::size_t> train, validation, test;
};

// Seeded, and stratified by each image's main class, so that each part holds nearly the same share of every
// class; a class of the `classes` that training would not see at all gives it an image all the same, in
// exchange for another. The same images, fractions, seed and groups give the same parts on every machine.
// Images are cut apart one by one, whatever fractions.grouping says. Throws Error(kBadData) when a part with
// a fraction above 0 would be empty.
SplitIndices split(std::span<const ImageClasses> images, int classes, const SplitFractions& fractions);

// Indices of images, ascending, that belong together; the groups are disjoint. An image in none is a group of
// its own.
using Groups = std::vector<std::vector<std::size_t>>;

// The same with each group on one side. Large groups are placed first, each where it brings the counts of
// images of each class and of all images nearest to the fractions (the greedy order of Sechidis, Tsoumakas
// and Vlahavas, ECML PKDD 2011, with groups for images), so sizes differ from the fractions by less than one
// small group where there are enough of these.
SplitIndices split_by_groups(std::span<const ImageClasses> images, int classes,
                             const SplitFractions& fractions, const Groups& groups);

}  // namespace tune::trainer::data

#pragma once
// Cuts one data set into training, validation and test parts.
#include <cstdint>
#include <span>
#include <string_view>

#include "trainer/tasks/detection/data/dataset.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {

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
SplitFractions parse_split(const Json& split);

struct Split {
  Dataset train, validation, test;  // with the whole set's classes; examples ordered by image_id
};

// Seeded, and stratified by each image's main class (the one with most objects; on a tie, most area), so that
// each part holds nearly the same share of every class; a class that training would not see at all gives it
// an image all the same, in exchange for another. The same set, fractions, seed and groups give the same
// parts on every machine. Images are cut apart one by one, whatever fractions.grouping says. Throws
// Error(kBadData) when a part with a fraction above 0 would be empty.
Split split(const Dataset& dataset, const SplitFractions& fractions);

// Indices of examples, ascending, that belong together; the groups are disjoint. An image in none is a group
// of its own.
using Groups = std::vector<std::vector<std::size_t>>;

// The same with each group on one side. Large groups are placed first, each where it brings the counts of
// images of each class and of all images nearest to the fractions (the greedy order of Sechidis, Tsoumakas
// and Vlahavas, ECML PKDD 2011, with groups for images), so sizes differ from the fractions by less than one
// small group where there are enough of these.
Split split_by_groups(const Dataset& dataset, const SplitFractions& fractions, const Groups& groups);

// The examples at `indices`, in that order, with everything else of the set but its warnings.
Dataset subset(const Dataset& dataset, std::span<const std::size_t> indices);

// The main class of an image as above; 0 for one without objects.
int main_category(const Example& example);

}  // namespace tune::trainer::detection

#pragma once
// Augmentation of pictures for classification: what a varied picture shows is drawn here, and made into
// pixels by the two neighbours crop_sampling.h and colour_operations.h.
#include <cstdint>
#include <optional>
#include <vector>

#include "trainer/data/preprocessing.h"
#include "trainer/tasks/image_classification/data/colour_operations.h"
#include "trainer/tasks/image_classification/data/crop_sampling.h"
#include "tuner/core/rng.h"

namespace tune::trainer::image_classification {

// How training pictures are varied. The defaults suit fine-tuning on some hundred to some thousand pictures;
// docs/image-classification.md has them as a table.
struct Augmentation {
  bool random_crop = true;      // a part of the picture, of another shape; else the middle, as in evaluation
  double min_crop_area = 0.35;  // that part's smallest share of the picture
  bool horizontal_flip = true;  // half of the pictures
  bool vertical_flip = false;   // likewise
  double rotation = 0;          // degrees, at most, to either side
  double color_jitter = 0;      // brightness, contrast and saturation change by up to this share
  double hue_jitter = 0;        // the hue turns by up to this share of a whole turn
  double random_erasing = 0;    // probability of a rectangle of the mean colour
  int randaugment = 0;          // so many operations of RandAugment on each picture
  int randaugment_magnitude = 9;  // their strength, 0 to 30
};

// What one varied picture shows, in the order in which it is made.
struct Look {
  Crop crop;
  std::vector<ColourOperation> colours;
  std::optional<Rectangle> erased;  // of the output
};

// `source` is the size of the picture in memory, and `preprocessing` says how evaluation would look at it. A
// random crop is torchvision's RandomResizedCrop with a ratio of the sides from 3/4 to 4/3. RandAugment
// (Cubuk and others, 2020) draws from torchvision's fourteen operations with their magnitudes; what moves
// pixels is composed into the crop, so that a picture is sampled once, and the colours come after.
Look draw_look(const Augmentation& augmentation, images::Size source,
               const data::Preprocessing& preprocessing, Rng& rng);

// Without anything random: the part of the picture that evaluation looks at.
Crop evaluation_crop(images::Size source, const data::Preprocessing& preprocessing);

// The pixels of that look: size * size * 3 bytes. `source` has 1 or 3 channels; `mean` (0 to 1) is the colour
// of what is erased.
void make_pixels(const Look& look, const images::Image& source, int size, const std::array<double, 3>& mean,
                 std::uint8_t* to);

}  // namespace tune::trainer::image_classification

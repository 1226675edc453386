#pragma once
// Augmentation of pixels: draws a view of an image and samples it.
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "trainer/images/image.h"
#include "tuner/core/rng.h"

namespace tune::trainer::data {

// How training images are varied. All off: the images as they are, to validate and to predict.
struct Augmentation {
  double horizontal_flip = 0;  // probability
  double vertical_flip = 0;    // probability
  double brightness = 0;       // pixels are multiplied by a factor from [1 - brightness, 1 + brightness]
  double contrast = 0;         // distances from the image's mean likewise
  double zoom_crop = 0;        // probability of looking at a part of the image only
  double min_crop_area = 0.5;  // that part's smallest share of the image
  // A crop drops an object of which it leaves less than this share. A crop that would drop every object of an
  // image is drawn again.
  double min_visible = 0.3;

  // Flips, brightness and contrast by a fifth, zoom-crop half of the time: what trains well on steel
  // surfaces.
  static Augmentation for_training() { return {0.5, 0.5, 0.2, 0.2, 0.5, 0.5, 0.3}; }
};

// What one augmented image shows: a rectangle of the source, in pixels of the source, which is brought to the
// source's size. Flips come after. `gain` and `contrast` are the factors of Augmentation.
struct View {
  double x = 0, y = 0, width = 0, height = 0;
  bool mirrored = false, upside_down = false;
  double gain = 1, contrast = 1;
};

// A crop that `keeps` refuses is drawn again, some times, and the whole image is shown in the end; empty:
// every crop will do.
View draw_view(const Augmentation& augmentation, images::Size source, Rng& rng,
               const std::function<bool(const View&)>& keeps = {});

// Where a row or column of the output samples the source: between `first` and `second`, by `weight` / 256 of
// the second.
struct Sample {
  int first = 0, second = 0, weight = 0;
};

// A view in terms of pixels: bilinear, 8 fractional bits, and then each value as `tone` has it.
struct Sampling {
  std::vector<Sample> rows, columns;  // of the output
  std::array<std::uint8_t, 256> tone{};
};
// Source and output are squares of `size` pixels, of which `shown` has the image, in the upper left. The
// output's other pixels repeat the image's last ones. `mean` is that of all values of the image.
Sampling sampling_of(const View& view, images::Size shown, int size, double mean);

// `source` has 1 or 3 channels, `to` gets 3.
void view_pixels(const View& view, std::span<const std::uint8_t> source, int channels, images::Size shown,
                 int size, double mean, std::uint8_t* to);

}  // namespace tune::trainer::data

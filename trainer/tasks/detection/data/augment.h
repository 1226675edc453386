#pragma once
// The pieces of augmentation: draw a view, move the boxes, sample the pixels. Used by batch_maker.cpp.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/tasks/detection/data/batch_maker.h"
#include "tuner/core/rng.h"

namespace tune::trainer::detection {

// What one augmented image shows: a rectangle of the source, in pixels of the source, which fills the whole
// output. Flips come after. `gain` and `contrast` are the factors of
// Augmentation.
struct View {
  double x = 0, y = 0, width = 0, height = 0;
  bool mirrored = false, upside_down = false;
  double gain = 1, contrast = 1;
};

// `objects` are in pixels of the source, a square of `size` pixels.
View draw_view(const Augmentation& augmentation, std::span<const GroundTruth> objects, int size, Rng& rng);

// The objects as the view shows them, in output pixels, clipped. Left out is what a cut leaves less
// than min_visible of, or less than a pixel.
std::vector<GroundTruth> view_objects(const View& view, std::span<const GroundTruth> objects, int size,
                                      double min_visible);

// Bilinear, 8 fractional bits. `source` has 1 or 3 channels, `to` gets 3. Source and output are squares of
// `size` pixels.
void view_pixels(const View& view, std::span<const std::uint8_t> source, int channels, int size,
                 std::uint8_t* to);

}  // namespace tune::trainer::detection

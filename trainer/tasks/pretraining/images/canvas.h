#pragma once
// A square of grey values to draw on, and what the families of generated images are made of.
#include <cstdint>
#include <vector>

#include "tuner/core/rng.h"

namespace tune::trainer::pretraining {

// size * size values, row by row; what is 0 and what is bright is up to the family. Not thread-safe.
struct Canvas {
  explicit Canvas(int side)
      : size(side), values(static_cast<std::size_t>(side) * static_cast<std::size_t>(side), 0.0F) {}
  float* row(int y) { return values.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(size); }

  int size;
  std::vector<float> values;
};

// Where the energy of a texture lies.
struct Band {
  double frequency = 0.1;  // cycles per pixel
  double bandwidth = 0.1;  // standard deviation of the frequency's logarithm
  double orientation = 0;  // radians, of the wave vector
  double spread = 0.1;     // radians to either side; pi/2 and more has no orientation
  double amplitude = 1;    // relative to the other bands of a texture
};

// How an instance looks at its class: turned and enlarged.
struct Pose {
  double angle = 0, scale = 1;
};

// Adds band-pass noise of variance amplitude^2: a sum of plane waves of random phase (Rice's representation
// of a Gaussian process), each with a vector drawn from one of `bands`. Cheap, since a wave is an outer
// product of rank two.
void add_waves(Canvas& canvas, const std::vector<Band>& bands, double amplitude, const Pose& pose, Rng& rng);

// Raises the values around a point to at least `height` times a soft disc of this radius in pixels.
void dab(Canvas& canvas, double x, double y, double radius, float height);

// Dabs along a line, half a radius apart. Pixels outside are ignored.
void stroke(Canvas& canvas, double x1, double y1, double x2, double y2, double radius, float height);

}  // namespace tune::trainer::pretraining

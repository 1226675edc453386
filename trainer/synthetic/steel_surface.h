#pragma once
// A square grey picture of brushed steel, and the strokes that defects are made of.
#include <optional>
#include <vector>

#include "tuner/core/rng.h"

namespace tune::trainer::synthetic {

// Pixels, half-open: x1 <= x < x2.
struct Extent {
  int x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  int width() const { return x2 - x1; }
  int height() const { return y2 - y1; }
};
// Shared area over the smaller of both areas, 0 to 1.
double overlap(const Extent& a, const Extent& b);

// Smooth noise with values in about [-1, 1]: bilinear between random lattice values `cell_x` by `cell_y`
// pixels apart.
std::vector<float> value_noise(int size, double cell_x, double cell_y, Rng& rng);

// What one defect adds to the surface: brightness differences, 0 where the surface is sound. Not thread-safe.
class DefectLayer {
 public:
  explicit DefectLayer(int size);
  int size() const { return size_; }

  // Sets the difference at a pixel if it is stronger than what is there; pixels outside the picture are
  // ignored.
  void put(int x, int y, float difference);
  // A soft disc. Positions and radii in pixels.
  void disc(double x, double y, double radius_x, double radius_y, float difference);
  // A soft line of the given width in pixels.
  void line(double x1, double y1, double x2, double y2, double width, float difference);

  // The tight box around all differences that can be seen; nullopt if there is none.
  std::optional<Extent> visible_extent() const;
  const std::vector<float>& differences() const { return differences_; }

 private:
  int size_;
  std::vector<float> differences_;
};

// Rolled steel without defects, brightness 0 to 1, size * size values: illumination gradient, cloudiness,
// fine streaks along the rolling direction (x) and sensor noise.
std::vector<float> sound_surface(int size, Rng& rng);

}  // namespace tune::trainer::synthetic

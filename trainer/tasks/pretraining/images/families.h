#pragma once
// The families of generated images. A class is one draw of a family's parameters, an instance one drawing of
// it.
#include <variant>
#include <vector>

#include "trainer/tasks/pretraining/images/canvas.h"

namespace tune::trainer::pretraining {

// Noise of up to three bands, straight or bent by a curve.
struct BandNoise {
  enum class Curve { kStraight, kRidges, kSteps };
  std::vector<Band> bands;
  Curve curve = Curve::kStraight;
};

// Where a field exceeds a threshold there is a blob, or a pit, on finer noise.
struct Blobs {
  std::vector<Band> field, ground;
  double threshold = 1;          // in standard deviations of the field
  double edge = 4;               // how steeply it rises
  double height = 1;             // below 0: pits
  double roughness = 0.3;        // of the ground
  bool lit_from_a_side = false;  // shows the slope instead of the height
};

// Curved lines on noise, bright or dark.
struct Scratches {
  std::vector<Band> ground;
  int count = 3;
  double orientation = 0, spread = 0.2;  // radians
  double length = 0.7;                   // of the picture's side
  double bend = 0;                       // radians over the whole length
  double wobble = 0;                     // standard deviation of the bend between two segments
  double radius = 1;                     // pixels
  double height = 1;                     // below 0: dark
  double roughness = 0.5;
};

// Closed curves r(t) = R (1 + sum of a_i sin(n_i t + phase)), several around each other (Kataoka et al.,
// Replacing Labeled Real-Image Datasets with Auto-Generated Contours, CVPR 2022).
struct Contours {
  std::vector<Band> ground;
  int waves[2] = {3, 7};          // n_i
  double depth[2] = {0.2, 0.05};  // a_i
  int rings = 3;
  double gap = 0.15;    // between rings, of R
  double radius = 0.8;  // of the line, pixels
  double flatness = 1;  // short over long axis
  double height = 1;
  double roughness = 0.3;
};

// The attractor of an iterated function system, each of its points a small patch (Kataoka et al.,
// Pre-training without Natural Images, ACCV 2020).
struct Fractal {
  struct Map {
    double a, b, c, d, e, f;  // (x, y) -> (a x + b y + e, c x + d y + f)
    double upto;              // cumulated probability
  };
  std::vector<Map> maps;
  double centre_x = 0, centre_y = 0, extent = 1;  // of the attractor
  double height = 1;
};

using TextureClass = std::variant<BandNoise, Blobs, Scratches, Contours, Fractal>;
inline constexpr int kFamilies = static_cast<int>(std::variant_size_v<TextureClass>);

// Parameters for a class of the family with this index in TextureClass.
TextureClass draw_class(int family, Rng& rng);

// One instance, with values around 0 and a deviation of about 1. `canvas` comes filled with zeros.
void draw_instance(const TextureClass& texture, Canvas& canvas, Rng& rng);

}  // namespace tune::trainer::pretraining

// The parameters that make a class.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "trainer/tasks/pretraining/images/families.h"

namespace tune::trainer::pretraining {
namespace {

double log_between(double low, double high, Rng& rng) {
  return low * std::exp(rng.uniform() * std::log(high / low));
}
int whole(int low, int high, Rng& rng) {
  return low + static_cast<int>(rng.below(static_cast<std::uint64_t>(high - low + 1)));
}
double sign(Rng& rng) { return rng.below(2) == 0 ? -1 : 1; }

// Orientations up to a quarter turn are enough, since instances are turned by quarters and mirrored.
Band draw_band(double low, double high, Rng& rng) {
  Band band;
  band.frequency = log_between(low, high, rng);
  band.bandwidth = log_between(0.05, 0.5, rng);
  band.orientation = rng.uniform(0, std::numbers::pi / 2);
  band.spread = rng.below(3) == 0 ? std::numbers::pi : log_between(0.05, 0.8, rng);
  band.amplitude = rng.uniform(0.4, 1);
  return band;
}

std::vector<Band> draw_bands(int most, double low, double high, Rng& rng) {
  std::vector<Band> bands;
  for (int count = whole(1, most, rng); count > 0; --count) bands.push_back(draw_band(low, high, rng));
  return bands;
}

BandNoise draw_noise(Rng& rng) {
  BandNoise noise;
  noise.bands = draw_bands(3, 0.02, 0.35, rng);
  noise.curve = static_cast<BandNoise::Curve>(rng.below(3));
  return noise;
}

Blobs draw_blobs(Rng& rng) {
  Blobs blobs;
  blobs.field = draw_bands(2, 0.015, 0.12, rng);
  blobs.ground = draw_bands(1, 0.05, 0.4, rng);
  blobs.threshold = rng.uniform(-0.2, 1.6);
  blobs.edge = log_between(1, 10, rng);
  blobs.height = sign(rng) * rng.uniform(0.8, 2);
  blobs.roughness = rng.uniform(0.1, 0.7);
  blobs.lit_from_a_side = rng.below(3) == 0;
  return blobs;
}

Scratches draw_scratches(Rng& rng) {
  Scratches scratches;
  scratches.ground = draw_bands(2, 0.03, 0.4, rng);
  scratches.count = whole(1, 7, rng);
  scratches.orientation = rng.uniform(0, std::numbers::pi / 2);
  scratches.spread = rng.below(3) == 0 ? std::numbers::pi : log_between(0.03, 0.5, rng);
  scratches.length = rng.uniform(0.2, 1.1);
  scratches.bend = rng.below(2) == 0 ? 0 : rng.uniform(0.3, 3);
  scratches.wobble = rng.below(2) == 0 ? 0 : log_between(0.03, 0.5, rng);
  scratches.radius = log_between(0.4, 3, rng);
  scratches.height = sign(rng) * rng.uniform(1.2, 3);
  scratches.roughness = rng.uniform(0.2, 1);
  return scratches;
}

Contours draw_contours(Rng& rng) {
  Contours contours;
  contours.ground = draw_bands(1, 0.03, 0.4, rng);
  contours.waves[0] = whole(2, 8, rng);
  contours.waves[1] = whole(3, 20, rng);
  contours.depth[0] = rng.uniform(0, 0.4);
  contours.depth[1] = rng.uniform(0, 0.2);
  contours.rings = whole(1, 6, rng);
  contours.gap = rng.uniform(0.08, 0.3);
  contours.radius = log_between(0.4, 2, rng);
  contours.flatness = rng.uniform(0.4, 1);
  contours.height = sign(rng) * rng.uniform(1.2, 3);
  contours.roughness = rng.uniform(0.1, 0.6);
  return contours;
}

// Turn, stretch, turn again: contracting whatever is drawn.
Fractal::Map draw_map(Rng& rng) {
  const double p = rng.uniform(0, 2 * std::numbers::pi), q = rng.uniform(0, 2 * std::numbers::pi);
  const double s = rng.uniform(0.25, 0.85), t = sign(rng) * rng.uniform(0.2, s);
  const double cp = std::cos(p), sp = std::sin(p), cq = std::cos(q), sq = std::sin(q);
  return {cp * s * cq - sp * t * sq,
          -cp * s * sq - sp * t * cq,
          sp * s * cq + cp * t * sq,
          cp * t * cq - sp * s * sq,
          rng.uniform(-1, 1),
          rng.uniform(-1, 1),
          0};
}

struct Footprint {
  double centre_x, centre_y, extent, filled;
};

// Where the attractor lies without its outermost fiftieth, and which share of a coarse grid over that it
// touches.
Footprint footprint(const std::vector<Fractal::Map>& maps, Rng& rng) {
  constexpr std::size_t kPoints = 2000, kCut = kPoints / 50, kGrid = 24;
  std::array<double, kPoints> xs{}, ys{};
  double x = 0, y = 0;
  for (std::size_t i = 0; i < kPoints + 20; ++i) {
    const double u = rng.uniform();
    const auto map = std::find_if(maps.begin(), maps.end() - 1, [u](const auto& m) { return u < m.upto; });
    const double next = map->a * x + map->b * y + map->e;
    y = map->c * x + map->d * y + map->f;
    x = next;
    if (i >= 20) xs[i - 20] = x, ys[i - 20] = y;
  }
  std::array<double, kPoints> sorted_x = xs, sorted_y = ys;
  std::sort(sorted_x.begin(), sorted_x.end());
  std::sort(sorted_y.begin(), sorted_y.end());
  const double left = sorted_x[kCut], right = sorted_x[kPoints - 1 - kCut], top = sorted_y[kCut],
               bottom = sorted_y[kPoints - 1 - kCut];
  Footprint print{(left + right) / 2, (top + bottom) / 2, std::max({right - left, bottom - top, 1e-6}), 0};
  std::array<bool, kGrid * kGrid> touched{};
  for (std::size_t i = 0; i < kPoints; ++i) {
    const auto cell = [&](double value, double centre) {
      const double place = ((value - centre) / print.extent + 0.5) * kGrid;
      return static_cast<std::size_t>(std::clamp(place, 0.0, kGrid - 1.0));
    };
    touched[cell(ys[i], print.centre_y) * kGrid + cell(xs[i], print.centre_x)] = true;
  }
  print.filled = static_cast<double>(std::count(touched.begin(), touched.end(), true)) / (kGrid * kGrid);
  return print;
}

Fractal draw_fractal(Rng& rng) {
  // Attractors that are but a few points or lines teach little; a fifth is the share that Kataoka et al. ask
  // for.
  constexpr double kFilled = 0.2;
  constexpr int kTries = 100;
  Fractal fractal;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    fractal.maps.clear();
    double total = 0;
    for (int count = whole(2, 6, rng); count > 0; --count) {
      fractal.maps.push_back(draw_map(rng));
      Fractal::Map& map = fractal.maps.back();
      total += std::abs(map.a * map.d - map.b * map.c) + 0.02;
      map.upto = total;
    }
    for (Fractal::Map& map : fractal.maps) map.upto /= total;
    const Footprint print = footprint(fractal.maps, rng);
    fractal.centre_x = print.centre_x;
    fractal.centre_y = print.centre_y;
    fractal.extent = print.extent;
    if (print.filled >= kFilled) break;
  }
  fractal.height = sign(rng) * rng.uniform(1.5, 3);
  return fractal;
}

}  // namespace

TextureClass draw_class(int family, Rng& rng) {
  switch (family) {
    case 0:
      return draw_noise(rng);
    case 1:
      return draw_blobs(rng);
    case 2:
      return draw_scratches(rng);
    case 3:
      return draw_contours(rng);
    default:
      return draw_fractal(rng);
  }
}

}  // namespace tune::trainer::pretraining

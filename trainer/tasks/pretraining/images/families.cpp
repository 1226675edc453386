// How instances are drawn.
#include "trainer/tasks/pretraining/images/families.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tune::trainer::pretraining {
namespace {

// Small against the differences between classes.
Pose draw_pose(Rng& rng) { return {rng.uniform(-0.15, 0.15), std::exp(rng.uniform(-0.18, 0.18))}; }

void draw(const BandNoise& noise, Canvas& canvas, Rng& rng) {
  add_waves(canvas, noise.bands, 1, draw_pose(rng), rng);
  if (noise.curve == BandNoise::Curve::kRidges)
    for (float& value : canvas.values) value = 1.3F - 1.7F * std::abs(value);
  if (noise.curve == BandNoise::Curve::kSteps)
    for (float& value : canvas.values) value = 1.2F * std::clamp(4 * value, -1.0F, 1.0F);
}

// Differences of neighbours along the diagonal, as light from a corner shows them.
void light_from_a_side(Canvas& canvas) {
  constexpr int kApart = 2;
  for (int y = 0; y + kApart < canvas.size; ++y) {
    float* row = canvas.row(y);
    const float* below = canvas.row(y + kApart);
    for (int x = 0; x + kApart < canvas.size; ++x) row[x] = 1.5F * (row[x] - below[x + kApart]);
  }
  for (int y = 0; y < canvas.size; ++y)
    for (int x = 0; x < canvas.size; ++x)
      if (x + kApart >= canvas.size || y + kApart >= canvas.size) canvas.row(y)[x] = 0;
}

void draw(const Blobs& blobs, Canvas& canvas, Rng& rng) {
  const Pose pose = draw_pose(rng);
  add_waves(canvas, blobs.field, 1, pose, rng);
  const auto threshold = static_cast<float>(blobs.threshold), edge = static_cast<float>(blobs.edge),
             height = static_cast<float>(blobs.height);
  for (float& value : canvas.values) value = height * std::clamp(edge * (value - threshold), 0.0F, 1.0F);
  if (blobs.lit_from_a_side) light_from_a_side(canvas);
  add_waves(canvas, blobs.ground, blobs.roughness, pose, rng);
}

void add_times(Canvas& canvas, const Canvas& other, double factor) {
  const auto by = static_cast<float>(factor);
  for (std::size_t i = 0; i < canvas.values.size(); ++i) canvas.values[i] += by * other.values[i];
}

void draw(const Scratches& scratches, Canvas& canvas, Rng& rng) {
  const Pose pose = draw_pose(rng);
  add_waves(canvas, scratches.ground, scratches.roughness, pose, rng);
  Canvas lines(canvas.size);
  constexpr int kSegments = 12;
  for (int i = 0; i < scratches.count; ++i) {
    double angle = scratches.orientation + pose.angle + scratches.spread * (2 * rng.uniform() - 1);
    const double side = canvas.size, length = scratches.length * side * rng.uniform(0.8, 1.2);
    const double step = length / kSegments, turn = (rng.below(2) == 0 ? -1 : 1) * scratches.bend / kSegments;
    const float height = static_cast<float>(rng.uniform(0.7, 1));
    // The middle lies anywhere in the picture, the ends may lie outside.
    double x = rng.uniform(0, side) - std::cos(angle) * length / 2,
           y = rng.uniform(0, side) - std::sin(angle) * length / 2;
    angle -= turn * kSegments / 2;
    for (int segment = 0; segment < kSegments; ++segment) {
      angle += turn + scratches.wobble * rng.normal();
      const double to_x = x + step * std::cos(angle), to_y = y + step * std::sin(angle);
      stroke(lines, x, y, to_x, to_y, scratches.radius * pose.scale, height);
      x = to_x, y = to_y;
    }
  }
  add_times(canvas, lines, scratches.height);
}

void draw(const Contours& contours, Canvas& canvas, Rng& rng) {
  const Pose pose = draw_pose(rng);
  add_waves(canvas, contours.ground, contours.roughness, pose, rng);
  Canvas lines(canvas.size);
  const double side = canvas.size, largest = side * rng.uniform(0.22, 0.42);
  const double x0 = rng.uniform(0.3, 0.7) * side, y0 = rng.uniform(0.3, 0.7) * side;
  const double turned = rng.uniform(0, 2 * std::numbers::pi), cosine = std::cos(turned),
               sine = std::sin(turned);
  const double phases[2] = {rng.uniform(0, 2 * std::numbers::pi), rng.uniform(0, 2 * std::numbers::pi)};
  constexpr int kCorners = 72;
  for (int ring = 0; ring < contours.rings; ++ring) {
    const double radius = largest * (1 - contours.gap * ring);
    if (radius < 2) break;
    double last_x = 0, last_y = 0;
    for (int corner = 0; corner <= kCorners; ++corner) {
      const double t = 2 * std::numbers::pi * corner / kCorners;
      double r = radius;
      for (int i = 0; i < 2; ++i)
        r += radius * contours.depth[i] * std::sin(contours.waves[i] * t + phases[i]);
      const double u = r * std::cos(t), v = contours.flatness * r * std::sin(t);
      const double x = x0 + cosine * u - sine * v, y = y0 + sine * u + cosine * v;
      if (corner > 0) stroke(lines, last_x, last_y, x, y, contours.radius * pose.scale, 1);
      last_x = x, last_y = y;
    }
  }
  add_times(canvas, lines, contours.height);
}

// Each point sets a patch of 3x3 pixels, the same for all points of an instance.
void draw(const Fractal& fractal, Canvas& canvas, Rng& rng) {
  constexpr int kSettle = 20;
  const int points = canvas.size * canvas.size / 3;
  std::vector<Fractal::Map> maps = fractal.maps;
  for (Fractal::Map& map : maps)
    for (double* number : {&map.a, &map.b, &map.c, &map.d}) *number *= rng.uniform(0.95, 1.05);
  const double angle = rng.uniform(-std::numbers::pi, std::numbers::pi),
               scale = canvas.size * rng.uniform(0.55, 1.1) / fractal.extent;
  const double cosine = scale * std::cos(angle), sine = scale * std::sin(angle);
  const double x0 = rng.uniform(0.35, 0.65) * canvas.size, y0 = rng.uniform(0.35, 0.65) * canvas.size;
  const std::uint64_t patch = rng() | 1U << 4;  // nine bits, the middle one set
  const auto height = static_cast<float>(fractal.height);
  double x = fractal.centre_x, y = fractal.centre_y;
  for (int i = 0; i < points + kSettle; ++i) {
    const double u = rng.uniform();
    std::size_t chosen = 0;
    while (chosen + 1 < maps.size() && u >= maps[chosen].upto) ++chosen;
    const Fractal::Map& map = maps[chosen];
    const double next = map.a * x + map.b * y + map.e;
    y = map.c * x + map.d * y + map.f;
    x = next;
    if (i < kSettle) continue;
    const double dx = x - fractal.centre_x, dy = y - fractal.centre_y;
    const double px = x0 + cosine * dx - sine * dy, py = y0 + sine * dx + cosine * dy;
    if (!(px >= 1 && py >= 1 && px < canvas.size - 1 && py < canvas.size - 1)) continue;
    for (int bit = 0; bit < 9; ++bit)
      if ((patch >> bit & 1U) != 0)
        canvas.row(static_cast<int>(py) + bit / 3 - 1)[static_cast<int>(px) + bit % 3 - 1] = height;
  }
}

}  // namespace

void draw_instance(const TextureClass& texture, Canvas& canvas, Rng& rng) {
  std::visit([&](const auto& family) { draw(family, canvas, rng); }, texture);
}

}  // namespace tune::trainer::pretraining

#include "trainer/tasks/pretraining/images/canvas.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tune::trainer::pretraining {
namespace {

// Enough for values that look Gaussian; the time grows with it.
constexpr int kWaves = 24;

// A wave's cosine and sine along one axis, by turning a unit vector: two multiplications a pixel in place of
// a sine. In double, which keeps its length over any picture.
struct AxisTables {
  AxisTables(int size, double step, double phase)
      : cosine(static_cast<std::size_t>(size)), sine(static_cast<std::size_t>(size)) {
    double c = std::cos(phase), s = std::sin(phase);
    const double turn_c = std::cos(step), turn_s = std::sin(step);
    for (std::size_t i = 0; i < cosine.size(); ++i) {
      cosine[i] = static_cast<float>(c);
      sine[i] = static_cast<float>(s);
      const double next = c * turn_c - s * turn_s;
      s = s * turn_c + c * turn_s;
      c = next;
    }
  }
  std::vector<float> cosine, sine;
};

const Band& drawn_band(const std::vector<Band>& bands, Rng& rng) {
  double total = 0;
  for (const Band& band : bands) total += band.amplitude * band.amplitude;
  double left = rng.uniform() * total;
  for (const Band& band : bands)
    if ((left -= band.amplitude * band.amplitude) <= 0) return band;
  return bands.back();
}

// cos(a + b) = cos a cos b - sin a sin b.
void add_product(Canvas& canvas, const AxisTables& along_x, const AxisTables& along_y, float amplitude) {
  const float *cx = along_x.cosine.data(), *sx = along_x.sine.data();
  for (int y = 0; y < canvas.size; ++y) {
    const auto at = static_cast<std::size_t>(y);
    const float c = amplitude * along_y.cosine[at], s = amplitude * along_y.sine[at];
    float* row = canvas.row(y);
    for (int x = 0; x < canvas.size; ++x) row[x] += c * cx[x] - s * sx[x];
  }
}

}  // namespace

void add_waves(Canvas& canvas, const std::vector<Band>& bands, double amplitude, const Pose& pose, Rng& rng) {
  constexpr double kMost = 0.45;  // cycles per pixel, below those that alias
  const auto height = static_cast<float>(amplitude * std::sqrt(2.0 / kWaves));
  for (int wave = 0; wave < kWaves; ++wave) {
    const Band& band = drawn_band(bands, rng);
    const double frequency =
        std::min(kMost, band.frequency / pose.scale * std::exp(band.bandwidth * rng.normal()));
    const double direction = band.orientation + pose.angle + band.spread * (2 * rng.uniform() - 1);
    const double turn = 2 * std::numbers::pi * frequency, phase = 2 * std::numbers::pi * rng.uniform();
    add_product(canvas, AxisTables(canvas.size, turn * std::cos(direction), 0),
                AxisTables(canvas.size, turn * std::sin(direction), phase), height);
  }
}

void dab(Canvas& canvas, double x, double y, double radius, float height) {
  const double reach = radius + 1;
  const int x1 = std::max(0, static_cast<int>(std::ceil(x - reach))),
            x2 = std::min(canvas.size - 1, static_cast<int>(std::floor(x + reach)));
  const int y1 = std::max(0, static_cast<int>(std::ceil(y - reach))),
            y2 = std::min(canvas.size - 1, static_cast<int>(std::floor(y + reach)));
  const auto soft = static_cast<float>(reach);
  for (int py = y1; py <= y2; ++py) {
    float* row = canvas.row(py);
    const auto dy = static_cast<float>(py - y);
    for (int px = x1; px <= x2; ++px) {
      const auto dx = static_cast<float>(px - x);
      const float cover = soft - std::sqrt(dx * dx + dy * dy);  // falls from 1 to 0 around the radius
      row[px] = std::max(row[px], height * std::clamp(cover, 0.0F, 1.0F));
    }
  }
}

void stroke(Canvas& canvas, double x1, double y1, double x2, double y2, double radius, float height) {
  const double spacing = std::max(0.5, radius / 2);
  const int steps = std::max(1, static_cast<int>(std::ceil(std::hypot(x2 - x1, y2 - y1) / spacing)));
  for (int i = 0; i < steps; ++i) {
    const double t = static_cast<double>(i) / steps;
    dab(canvas, x1 + t * (x2 - x1), y1 + t * (y2 - y1), radius, height);
  }
}

}  // namespace tune::trainer::pretraining

#include "trainer/synthetic/steel_surface.h"

#include <algorithm>
#include <cmath>

namespace tune::trainer::synthetic {
namespace {

// A difference weaker than this drowns in the sensor noise.
constexpr float kVisible = 0.05F;

std::size_t at(int size, int x, int y) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(size) + static_cast<std::size_t>(x);
}

}  // namespace

double overlap(const Extent& a, const Extent& b) {
  const int w = std::min(a.x2, b.x2) - std::max(a.x1, b.x1), h = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  if (w <= 0 || h <= 0) return 0;
  return double(w) * h / std::min(double(a.width()) * a.height(), double(b.width()) * b.height());
}

std::vector<float> value_noise(int size, double cell_x, double cell_y, Rng& rng) {
  const int columns = static_cast<int>(size / cell_x) + 2, rows = static_cast<int>(size / cell_y) + 2;
  std::vector<float> lattice(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows));
  for (float& value : lattice) value = static_cast<float>(2 * rng.uniform() - 1);
  const auto corner = [&](int column, int row) { return lattice[at(columns, column, row)]; };

  std::vector<float> noise(static_cast<std::size_t>(size) * static_cast<std::size_t>(size));
  for (int y = 0; y < size; ++y) {
    const double v = y / cell_y;
    const int row = static_cast<int>(v);
    const float fy = static_cast<float>(v - row);
    for (int x = 0; x < size; ++x) {
      const double u = x / cell_x;
      const int column = static_cast<int>(u);
      const float fx = static_cast<float>(u - column);
      const float top = corner(column, row) * (1 - fx) + corner(column + 1, row) * fx;
      const float bottom = corner(column, row + 1) * (1 - fx) + corner(column + 1, row + 1) * fx;
      noise[at(size, x, y)] = top * (1 - fy) + bottom * fy;
    }
  }
  return noise;
}

DefectLayer::DefectLayer(int size)
    : size_(size), differences_(static_cast<std::size_t>(size) * static_cast<std::size_t>(size), 0.0F) {}

void DefectLayer::put(int x, int y, float difference) {
  if (x < 0 || y < 0 || x >= size_ || y >= size_) return;
  float& there = differences_[at(size_, x, y)];
  if (std::abs(difference) > std::abs(there)) there = difference;
}

void DefectLayer::disc(double x, double y, double radius_x, double radius_y, float difference) {
  for (int py = int(std::floor(y - radius_y)) - 1; py <= int(y + radius_y) + 1; ++py) {
    for (int px = int(std::floor(x - radius_x)) - 1; px <= int(x + radius_x) + 1; ++px) {
      const double distance = std::hypot((px - x) / radius_x, (py - y) / radius_y);
      const double cover = std::clamp(1.3 - distance, 0.0, 1.0);
      if (cover > 0) put(px, py, static_cast<float>(cover) * difference);
    }
  }
}

void DefectLayer::line(double x1, double y1, double x2, double y2, double width, float difference) {
  const int steps = std::max(1, static_cast<int>(2 * std::hypot(x2 - x1, y2 - y1)));
  for (int i = 0; i <= steps; ++i) {
    const double t = double(i) / steps;
    disc(x1 + t * (x2 - x1), y1 + t * (y2 - y1), width / 2, width / 2, difference);
  }
}

std::optional<Extent> DefectLayer::visible_extent() const {
  Extent extent{size_, size_, 0, 0};
  for (int y = 0; y < size_; ++y) {
    for (int x = 0; x < size_; ++x) {
      if (std::abs(differences_[at(size_, x, y)]) < kVisible) continue;
      extent = {std::min(extent.x1, x), std::min(extent.y1, y), std::max(extent.x2, x + 1),
                std::max(extent.y2, y + 1)};
    }
  }
  if (extent.x2 <= extent.x1) return std::nullopt;
  return extent;
}

std::vector<float> sound_surface(int size, Rng& rng) {
  const double base = 0.4 + 0.25 * rng.uniform();
  const double slope_x = 0.2 * (rng.uniform() - 0.5), slope_y = 0.2 * (rng.uniform() - 0.5);
  const float clouds = static_cast<float>(0.02 + 0.05 * rng.uniform());
  const float streaks = static_cast<float>(0.01 + 0.04 * rng.uniform());
  const double grain = 0.01 + 0.02 * rng.uniform();
  const std::vector<float> cloud = value_noise(size, size / 4.0, size / 4.0, rng);
  const std::vector<float> streak = value_noise(size, size / 2.0, 1.5, rng);

  std::vector<float> surface(cloud.size());
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const std::size_t i = at(size, x, y);
      const double light = base + slope_x * (double(x) / size - 0.5) + slope_y * (double(y) / size - 0.5);
      surface[i] = static_cast<float>(light + grain * rng.normal()) + clouds * cloud[i] + streaks * streak[i];
    }
  }
  return surface;
}

}  // namespace tune::trainer::synthetic

#include "trainer/synthetic/steel_defects.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "trainer/synthetic/steel_surface.h"
#include "tuner/core/error.h"

namespace tune::trainer::synthetic {
namespace {

int between(Rng& rng, int low, int high) {
  return low + static_cast<int>(rng.below(static_cast<std::uint64_t>(high - low + 1)));
}

// Where a defect goes: centre and half extents, in pixels.
struct Place {
  double x, y, half_width, half_height;
};

Place random_place(int size, double smallest, double largest, Rng& rng) {
  const double half_width = rng.uniform(smallest, largest) * size / 2,
               half_height = rng.uniform(smallest, largest) * size / 2;
  return {rng.uniform(half_width, size - half_width), rng.uniform(half_height, size - half_height),
          half_width, half_height};
}

// A net of fine dark cracks that wander in all directions.
void draw_crazing(DefectLayer& layer, Rng& rng) {
  const Place place = random_place(layer.size(), 0.25, 0.55, rng);
  const float depth = static_cast<float>(-rng.uniform(0.12, 0.25));
  const int cracks = between(rng, 7, 13);
  for (int i = 0; i < cracks; ++i) {
    double x = place.x + rng.uniform(-0.8, 0.8) * place.half_width,
           y = place.y + rng.uniform(-0.8, 0.8) * place.half_height;
    double angle = rng.uniform(0.0, 2 * std::numbers::pi);
    for (int step = 0; step < 10; ++step) {
      angle += rng.uniform(-0.8, 0.8);
      const double length = layer.size() * rng.uniform(0.02, 0.04);
      const double nx =
          std::clamp(x + length * std::cos(angle), place.x - place.half_width, place.x + place.half_width);
      const double ny =
          std::clamp(y + length * std::sin(angle), place.y - place.half_height, place.y + place.half_height);
      layer.line(x, y, nx, ny, 1.0, depth);
      x = nx, y = ny;
    }
  }
}

// A dark, ragged slag streak, tall and narrow.
void draw_inclusion(DefectLayer& layer, Rng& rng) {
  const int size = layer.size();
  const double half_height = size * rng.uniform(0.08, 0.22), half_width = size * rng.uniform(0.015, 0.04);
  double x = rng.uniform(3 * half_width, size - 3 * half_width);
  const double y = rng.uniform(half_height, size - half_height);
  const float depth = static_cast<float>(-rng.uniform(0.22, 0.4));
  for (double dy = -half_height; dy <= half_height; dy += 1.5) {
    x += rng.uniform(-0.6, 0.6);
    const double taper = std::sqrt(std::max(0.05, 1 - std::pow(dy / half_height, 2)));
    layer.disc(x, y + dy, half_width * taper * rng.uniform(0.6, 1.2), 1.5, depth);
  }
}

// A large stain with a cloudy outline, lighter or darker than the steel.
void draw_patch(DefectLayer& layer, Rng& rng) {
  const int size = layer.size();
  const Place place = random_place(size, 0.22, 0.5, rng);
  const float tone = static_cast<float>(rng.uniform(0.14, 0.26) * (rng.uniform() < 0.7 ? -1 : 1));
  const std::vector<float> edge = value_noise(size, size / 10.0, size / 10.0, rng);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const double distance = std::hypot((x - place.x) / place.half_width, (y - place.y) / place.half_height);
      const float noise = edge[static_cast<std::size_t>(y * size + x)];
      if (distance < 0.85 + 0.15 * noise) layer.put(x, y, tone * (1 + 0.3F * noise));
    }
  }
}

// Many small round dark pits.
void draw_pits(DefectLayer& layer, Rng& rng) {
  const Place place = random_place(layer.size(), 0.3, 0.65, rng);
  const int pits = between(rng, 18, 40);
  for (int i = 0; i < pits; ++i) {
    const double angle = rng.uniform(0.0, 2 * std::numbers::pi), distance = std::sqrt(rng.uniform());
    const double radius = layer.size() * rng.uniform(0.006, 0.016);
    layer.disc(place.x + distance * std::cos(angle) * place.half_width,
               place.y + distance * std::sin(angle) * place.half_height, radius, radius,
               static_cast<float>(-rng.uniform(0.15, 0.35)));
  }
}

// Short thick flakes side by side, all along the rolling direction.
void draw_scale(DefectLayer& layer, Rng& rng) {
  const Place place = random_place(layer.size(), 0.28, 0.6, rng);
  const int flakes = between(rng, 14, 28);
  for (int i = 0; i < flakes; ++i) {
    const double x = place.x + rng.uniform(-0.85, 0.85) * place.half_width,
                 y = place.y + rng.uniform(-0.95, 0.95) * place.half_height;
    const double length = layer.size() * rng.uniform(0.03, 0.08), tilt = rng.uniform(-0.25, 0.25);
    layer.line(x - length / 2, y - tilt * length, x + length / 2, y + tilt * length,
               layer.size() * rng.uniform(0.01, 0.02), static_cast<float>(-rng.uniform(0.14, 0.28)));
  }
}

// A long straight bright line, thin, near one of the axes.
void draw_scratch(DefectLayer& layer, Rng& rng) {
  const int size = layer.size();
  const double length = size * rng.uniform(0.35, 0.85), slant = length * rng.uniform(-0.12, 0.12);
  const double along = rng.uniform(0.02 * size, size - length),
               across = rng.uniform(0.15 * size, 0.85 * size);
  const double width = rng.uniform(1.2, 3.0);
  const float shine = static_cast<float>(rng.uniform(0.2, 0.38));
  if (rng.uniform() < 0.7)
    layer.line(across, along, across + slant, along + length, width, shine);
  else
    layer.line(along, across, along + length, across + slant, width, shine);
}

using Draw = void (*)(DefectLayer&, Rng&);
constexpr std::array<Draw, 6> kDraw = {draw_crazing, draw_inclusion, draw_patch,
                                       draw_pits,    draw_scale,     draw_scratch};

// How many objects of the main class an image gets at most; small defects come in groups.
constexpr std::array<int, 6> kMost = {2, 4, 3, 1, 2, 3};

// Whether the last object may be of another class.
SteelImage draw(int size, std::uint64_t seed, int index, bool strangers) {
  Rng rng(seed, static_cast<std::uint64_t>(index));
  SteelImage image{size, {}, {}};
  std::vector<float> surface = sound_surface(size, rng);
  std::vector<Extent> taken;

  const auto main_class = static_cast<std::size_t>(index) % kDraw.size();
  const int wanted = between(rng, 1, kMost[main_class]) + (rng.uniform() < 0.15 ? 1 : 0);
  for (int i = 0; i < wanted; ++i) {
    const bool stranger = strangers && i > 0 && i + 1 == wanted && rng.uniform() < 0.5;
    const std::size_t kind = stranger ? rng.below(kDraw.size()) : main_class;
    DefectLayer layer(size);
    kDraw[kind](layer, rng);
    const std::optional<Extent> box = layer.visible_extent();
    const bool crowded = box && std::any_of(taken.begin(), taken.end(),
                                            [&](const Extent& t) { return overlap(t, *box) > 0.15; });
    if (!box || crowded) continue;
    taken.push_back(*box);
    for (std::size_t p = 0; p < surface.size(); ++p) surface[p] += layer.differences()[p];
    image.objects.push_back({float(box->x1), float(box->y1), float(box->x2), float(box->y2),
                             static_cast<int>(kind) + 1, double(box->width()) * box->height(), false, false});
  }
  TUNE_CHECK(!image.objects.empty());

  image.grey.resize(surface.size());
  for (std::size_t p = 0; p < surface.size(); ++p)
    image.grey[p] = static_cast<std::uint8_t>(std::lround(255 * std::clamp(surface[p], 0.0F, 1.0F)));
  return image;
}

}  // namespace

const std::vector<std::string>& steel_classes() {
  static const std::vector<std::string> names = {"crazing",        "inclusion",       "patches",
                                                 "pitted_surface", "rolled-in_scale", "scratches"};
  return names;
}

SteelImage draw_steel_image(int size, std::uint64_t seed, int index) {
  return draw(size, seed, index, /*strangers=*/true);
}

SteelImage draw_steel_image_of_one_class(int size, std::uint64_t seed, int index) {
  return draw(size, seed, index, /*strangers=*/false);
}

}  // namespace tune::trainer::synthetic

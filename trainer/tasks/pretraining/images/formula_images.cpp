#include "trainer/tasks/pretraining/images/formula_images.h"

#include <algorithm>
#include <cmath>

#include "tuner/core/error.h"

namespace tune::trainer::pretraining {
namespace {

// Brightness, contrast, a slope of the light and the sensor's noise, none of which says anything about the
// class.
struct Exposure {
  explicit Exposure(Rng& rng)
      : gain(static_cast<float>(18 + 37 * rng.uniform())),
        mean(static_cast<float>(80 + 96 * rng.uniform())),
        slope_x(static_cast<float>(40 * (rng.uniform() - 0.5))),
        slope_y(static_cast<float>(40 * (rng.uniform() - 0.5))),
        noise(static_cast<float>(0.02 + 0.06 * rng.uniform())) {}
  float gain, mean, slope_x, slope_y, noise;
};

// The picture's place in one of the eight positions of a square.
struct Turn {
  bool mirrored, upside_down, transposed;
};

// Eight values of triangular noise, from -255 to 255 times `factor`, out of two draws: a normal deviate for
// each pixel would take longer than the texture.
void add_noise(Canvas& canvas, float factor, Rng& rng) {
  const std::size_t count = canvas.values.size();
  for (std::size_t i = 0; i < count; i += 8) {
    std::uint64_t plus = rng(), minus = rng();
    for (std::size_t j = i; j < std::min(i + 8, count); ++j, plus >>= 8, minus >>= 8)
      canvas.values[j] += factor * (static_cast<float>(plus & 255U) - static_cast<float>(minus & 255U));
  }
}

void develop(const Exposure& exposure, const Turn& turn, Canvas& canvas, std::uint8_t* to) {
  const int size = canvas.size, last = size - 1;
  const auto side = static_cast<float>(size);
  for (int y = 0; y < size; ++y) {
    float* row = canvas.row(y);
    const float light = exposure.mean + exposure.slope_y * (static_cast<float>(y) / side - 0.5F);
    const float per_pixel = exposure.slope_x / side, at_left = light - exposure.slope_x / 2;
    for (int x = 0; x < size; ++x)
      row[x] = std::clamp(exposure.gain * row[x] + at_left + per_pixel * static_cast<float>(x), 0.0F, 255.0F);
    for (int x = 0; x < size; ++x) {
      int column = turn.mirrored ? last - x : x, line = turn.upside_down ? last - y : y;
      if (turn.transposed) std::swap(column, line);
      to[line * size + column] = static_cast<std::uint8_t>(row[x] + 0.5F);
    }
  }
}

}  // namespace

FormulaImages::FormulaImages(int classes, int size, std::uint64_t seed) : size_(size), seed_(seed) {
  TUNE_CHECK(classes >= 1 && size >= 8);
  for (int category = 0; category < classes; ++category) {
    Rng rng(seed, static_cast<std::uint64_t>(category));
    textures_.push_back(draw_class(category % kFamilies, rng));
  }
}

void FormulaImages::draw(int category, std::uint64_t instance, std::uint8_t* to) const {
  // Apart from the streams of the classes, whose numbers are small.
  constexpr std::uint64_t kInstances = std::uint64_t{1} << 62;
  Rng rng(seed_ ^ (static_cast<std::uint64_t>(category) << 32), kInstances + instance);
  Canvas canvas(size_);
  draw_instance(textures_.at(static_cast<std::size_t>(category)), canvas, rng);
  const Exposure exposure(rng);
  // The noise is the sensor's, so it does not grow with the contrast.
  add_noise(canvas, exposure.noise / exposure.gain, rng);
  const std::uint64_t bits = rng();
  develop(exposure, {(bits & 1U) != 0, (bits & 2U) != 0, (bits & 4U) != 0}, canvas, to);
}

}  // namespace tune::trainer::pretraining

#include "trainer/tasks/pretraining/images/formula_images.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "support/catch.h"

using namespace tune::trainer::pretraining;

namespace {

constexpr int kSize = 64;
using Picture = std::vector<std::uint8_t>;

Picture picture(const FormulaImages& images, int category, std::uint64_t instance) {
  Picture pixels(static_cast<std::size_t>(images.size()) * static_cast<std::size_t>(images.size()));
  images.draw(category, instance, pixels.data());
  return pixels;
}

// How much pixels 1, 2, 4, 8 and 16 apart differ, of the deviation of all, then the skewness: none of it
// changes when a picture is turned, mirrored, or taken under brighter light.
using Statistic = std::array<double, 6>;
Statistic statistic(const Picture& pixels) {
  double mean = 0, variance = 0, third = 0;
  for (const std::uint8_t value : pixels) mean += value;
  mean /= static_cast<double>(pixels.size());
  for (const std::uint8_t value : pixels) {
    variance += (value - mean) * (value - mean);
    third += std::pow(value - mean, 3);
  }
  const double deviation = std::sqrt(variance / static_cast<double>(pixels.size()));
  Statistic result{};
  for (int scale = 0; scale < 5; ++scale) {
    const int apart = 1 << scale;
    double sum = 0;
    int count = 0;
    for (int y = 0; y + apart < kSize; ++y)
      for (int x = 0; x + apart < kSize; ++x, ++count) {
        const int here = pixels[static_cast<std::size_t>(y * kSize + x)];
        sum += std::abs(here - pixels[static_cast<std::size_t>(y * kSize + x + apart)]) +
               std::abs(here - pixels[static_cast<std::size_t>((y + apart) * kSize + x)]);
      }
    result[static_cast<std::size_t>(scale)] = sum / count / deviation;
  }
  result[5] = std::clamp(third / static_cast<double>(pixels.size()) / std::pow(deviation, 3), -2.0, 2.0) / 2;
  return result;
}

double distance(const Statistic& a, const Statistic& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

}  // namespace

TEST_CASE("Instances of a class agree in what their pixels' differences say, and classes differ in it") {
  constexpr int kClasses = 20, kKnown = 12, kNew = 8;
  const FormulaImages images(kClasses, kSize, 1);
  std::vector<Statistic> centres(kClasses, Statistic{});
  for (int category = 0; category < kClasses; ++category)
    for (std::uint64_t instance = 0; instance < kKnown; ++instance) {
      const Statistic one = statistic(picture(images, category, instance));
      for (std::size_t i = 0; i < one.size(); ++i)
        centres[static_cast<std::size_t>(category)][i] += one[i] / kKnown;
    }
  int right = 0;
  for (int category = 0; category < kClasses; ++category)
    for (std::uint64_t instance = 0; instance < kNew; ++instance) {
      const Statistic one = statistic(picture(images, category, 1000 + instance));
      const auto nearest = std::min_element(
          centres.begin(), centres.end(),
          [&](const Statistic& a, const Statistic& b) { return distance(a, one) < distance(b, one); });
      right += nearest - centres.begin() == category ? 1 : 0;
    }
  // Six numbers find the class of a new image ten times as often as chance does, which is 8 of 160.
  CHECK(right >= 80);
}

TEST_CASE("An image depends on its class, its instance and the seed alone") {
  const FormulaImages images(10, kSize, 7), same(10, kSize, 7), more(25, kSize, 7), other(10, kSize, 8);
  for (int category = 0; category < 10; ++category) {
    const Picture first = picture(images, category, 5);
    CHECK(picture(same, category, 5) == first);
    CHECK(picture(more, category, 5) == first);
    CHECK(picture(other, category, 5) != first);
    CHECK(picture(images, category, 6) != first);
    CHECK(picture(images, category, 5 + (std::uint64_t{1} << 60)) != first);
  }
}

TEST_CASE("Every class shows something, neither black nor white") {
  const FormulaImages images(256, kSize, 3);
  for (int category = 0; category < images.classes(); ++category) {
    CAPTURE(category);
    const Picture pixels = picture(images, category, 1);
    CHECK(std::set<std::uint8_t>(pixels.begin(), pixels.end()).size() > 20);
    const auto extreme = std::count_if(pixels.begin(), pixels.end(),
                                       [](std::uint8_t value) { return value == 0 || value == 255; });
    CHECK(extreme < static_cast<std::ptrdiff_t>(pixels.size() * 3 / 4));
  }
}

TEST_CASE("Plane waves make noise of the variance that was asked for, at the frequency that was asked for") {
  double sum = 0, squares = 0, between_neighbours = 0;
  std::size_t count = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    tune::Rng rng(seed);
    Canvas canvas(kSize);
    // A wave along x of a period of eight pixels.
    add_waves(canvas, {{0.125, 0, 0, 0, 1}}, 2, {}, rng);
    for (int y = 0; y < kSize; ++y)
      for (int x = 0; x < kSize; ++x) {
        const double value = canvas.row(y)[x];
        sum += value;
        squares += value * value;
        if (x >= 4) between_neighbours += value * canvas.row(y)[x - 4];
        ++count;
      }
  }
  const auto pixels = static_cast<double>(count);
  CHECK(std::abs(sum / pixels) < 0.2);
  CHECK(squares / pixels == Approx(4).epsilon(0.3));
  // Half a period apart the signs are opposite.
  CHECK(between_neighbours / squares < -0.9);
}

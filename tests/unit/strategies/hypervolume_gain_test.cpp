#include "strategies/hypervolume_gain.h"

#include <cmath>

#include "strategies/normal_distribution.h"
#include "support/catch.h"
#include "tuner/core/rng.h"

using namespace tune;
using namespace tune::strategies;

namespace {

const std::vector<LossPair> kFront{{-1, 0.8}, {-0.2, 0.1}, {0.4, -0.9}, {0.5, 0.5}, {3, -2}};
constexpr LossPair kReference{1, 1};

double sampled_gain(const std::array<double, 2>& means, const std::array<double, 2>& deviations) {
  Rng rng(3, 0);
  const double before = hypervolume(kFront, kReference);
  double sum = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    std::vector<LossPair> points = kFront;
    points.push_back({means[0] + deviations[0] * rng.normal(), means[1] + deviations[1] * rng.normal()});
    sum += hypervolume(points, kReference) - before;
  }
  return sum / kDraws;
}

}  // namespace

TEST_CASE("the strips of a front leave out what is dominated and what lies beyond the reference") {
  const FrontStrips strips = strips_of(kFront, kReference);
  CHECK(strips.edges == std::vector<double>{-1, -0.2, 0.4, 1});
  CHECK(strips.ceilings == std::vector<double>{1, 0.8, 0.1, -0.9});
  CHECK(strips_of({}, kReference).edges == std::vector<double>{1});
}

TEST_CASE("the expected gain of hypervolume is the mean gain of draws") {
  const auto [first, second, one, two] = GENERATE(table<double, double, double, double>(
      {{-0.5, -0.5, 0.5, 0.5}, {0.9, 0.9, 0.3, 1.0}, {-1.5, 0.9, 0.2, 0.1}, {0.6, -1.2, 1.5, 0.05}}));
  const auto gain = log_hypervolume_gain(strips_of(kFront, kReference), {first, second}, {one, two});
  const double sampled = sampled_gain({first, second}, {one, two});
  CHECK(std::exp(gain.value) == Approx(sampled).epsilon(0.03).margin(1e-4));
}

TEST_CASE("with nothing on the front the expected gain is a product of two improvements") {
  const auto gain = log_hypervolume_gain(strips_of({}, kReference), {0.3, -2}, {0.5, 0.7});
  const double expected =
      std::log(0.5) + log_improvement((1 - 0.3) / 0.5).value + std::log(0.7) + log_improvement(3 / 0.7).value;
  CHECK(gain.value == Approx(expected).epsilon(1e-12));
}

TEST_CASE("derivatives of the expected gain agree with central differences, near the front and far from it") {
  const double first = GENERATE(-1.2, -0.2, 0.3, 2.5, 9.0), second = GENERATE(-1.4, 0.1, 0.9, 6.0),
               spread = GENERATE(0.02, 0.4, 1.3);
  // A strip that is all but empty too.
  std::vector<LossPair> front = kFront;
  front.push_back({-0.2 + 1e-9, 0.1 - 1e-9});
  const FrontStrips strips = strips_of(front, kReference);
  const auto at = [&](const std::array<double, 4>& x) {
    return log_hypervolume_gain(strips, {x[0], x[1]}, {x[2], x[3]});
  };
  const std::array<double, 4> x{first, second, spread, 1.5 * spread};
  const LogHypervolumeGain gain = at(x);
  REQUIRE(std::isfinite(gain.value));
  const std::array<double, 4> gradient{gain.by_mean[0], gain.by_mean[1], gain.by_deviation[0],
                                       gain.by_deviation[1]};
  for (std::size_t i = 0; i < 4; ++i) {
    const double step = 1e-5 * (i < 2 ? 1 : spread);
    std::array<double, 4> up = x, down = x;
    up[i] += step, down[i] -= step;
    const double difference = (at(up).value - at(down).value) / (2 * step);
    CHECK(gradient[i] == Approx(difference).epsilon(1e-3).margin(1e-4));
  }
}

TEST_CASE("far from the front the logarithm of the gain still falls, and does not vanish") {
  const FrontStrips strips = strips_of(kFront, kReference);
  double before = 0;
  for (double mean = 10; mean < 1e6; mean *= 10) {
    const double value = log_hypervolume_gain(strips, {mean, mean}, {0.1, 0.1}).value;
    CHECK(std::isfinite(value));
    CHECK(value < before);
    before = value;
  }
}

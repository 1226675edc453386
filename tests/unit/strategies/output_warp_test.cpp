#include "strategies/output_warp.h"

#include <algorithm>
#include <cmath>

#include "support/catch.h"
#include "tuner/core/rng.h"

using namespace tune::strategies;

namespace {

std::vector<double> log_normal(int count, double width) {
  tune::Rng rng(1);
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(std::exp(width * rng.normal()));
  return values;
}

}  // namespace

TEST_CASE("Yeo-Johnson and its inverse undo each other for every power") {
  for (double power = -2; power <= 4; power += 0.5)
    for (double z = -4; z <= 4; z += 0.25)
      CHECK(yeo_johnson_inverse(yeo_johnson(z, power), power) == Approx(z).margin(1e-9));
}

TEST_CASE("The identity is power one, and the map is smooth through zero") {
  CHECK(yeo_johnson(2.5, 1) == Approx(2.5));
  CHECK(yeo_johnson(-2.5, 1) == Approx(-2.5));
  CHECK(yeo_johnson(3, 0) == Approx(std::log(4)));
  CHECK(yeo_johnson(-3, 2) == Approx(-std::log(4)));
  CHECK(yeo_johnson(3, 0.5) == Approx(2));
}

TEST_CASE("Warped values have mean zero, unit variance and the order of the losses") {
  std::vector<double> losses = log_normal(200, 1.5);
  const OutputWarp warp = OutputWarp::fit(losses);
  double sum = 0, squares = 0;
  for (const double loss : losses) sum += warp(loss), squares += warp(loss) * warp(loss);
  CHECK(sum / 200 == Approx(0).margin(0.01));
  CHECK(squares / 200 == Approx(1).margin(0.02));
  std::sort(losses.begin(), losses.end());
  for (std::size_t i = 1; i < losses.size(); ++i) CHECK(warp(losses[i]) >= warp(losses[i - 1]));
}

TEST_CASE("A heavy tail is compressed, a bell curve is left alone") {
  CHECK(OutputWarp::fit(log_normal(100, 1.5)).power() < 0.5);
  tune::Rng rng(2);
  std::vector<double> bell;
  for (int i = 0; i < 100; ++i) bell.push_back(rng.normal());
  CHECK(OutputWarp::fit(bell).power() == 1);
  CHECK(OutputWarp::fit(log_normal(7, 1.5)).power() == 1);
}

TEST_CASE("A warped loss maps back to the loss") {
  const std::vector<double> losses = log_normal(50, 1);
  const OutputWarp warp = OutputWarp::fit(losses);
  for (const double loss : losses) {
    if (warp(loss) < OutputWarp::kCap) CHECK(warp.inverse(warp(loss)) == Approx(loss).epsilon(1e-8));
  }
}

TEST_CASE("A diverged value is capped and good values keep their order and distance") {
  std::vector<double> losses;
  for (int i = 0; i < 40; ++i) losses.push_back(1 + 0.01 * i);
  losses.push_back(1e300);
  const OutputWarp warp = OutputWarp::fit(losses);
  for (const double loss : losses) CHECK(std::isfinite(warp(loss)));
  CHECK(warp(1e300) <= OutputWarp::kCap);
  CHECK(warp(1e300) > warp(1.4));
  INFO("power " << warp.power());
  CHECK(warp(1.39) - warp(1.0) > 0.5);
}

TEST_CASE("Equal, single and absent values are mapped to zero, and zero back to them") {
  for (const std::vector<double>& losses : {std::vector<double>{}, {3.5}, {3.5, 3.5, 3.5}}) {
    const OutputWarp warp = OutputWarp::fit(losses);
    CHECK(warp(3.5) == 0);
    if (!losses.empty()) CHECK(warp.inverse(0) == Approx(3.5));
  }
}

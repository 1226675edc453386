#include "strategies/acquisition_search.h"

#include <cmath>

#include "conformance/sample_spaces.h"
#include "support/catch.h"

using namespace tune;
using namespace tune::tests;
using namespace tune::strategies;

namespace {

// A peak at the features of `target`.
Acquisition peak_at(const Encoding& encoding, const UnitPoint& target) {
  const Eigen::VectorXd top = encoding.encode(target);
  return {[top](const Eigen::MatrixXd& points) -> Eigen::VectorXd {
            return -50 * (points.rowwise() - top.transpose()).rowwise().squaredNorm();
          },
          [top](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
            gradient = -100 * (x - top);
            return -50 * (x - top).squaredNorm();
          }};
}

}  // namespace

TEST_CASE("A peak among floats, integers, categories and conditions is climbed to the top") {
  const SearchSpace space = mixed_space();
  const Encoding encoding(space);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Rng rng(seed);
    UnitPoint target(space.size());
    for (double& u : target) u = rng.uniform();
    encoding.snap(target);
    const auto found =
        search_acquisition(encoding, peak_at(encoding, target), {UnitPoint(space.size(), 0.5)}, {}, rng);
    CHECK(found.front().value > -1e-4);
    CHECK(space.from_unit(found.front().unit).at("optimizer") == space.from_unit(target).at("optimizer"));
  }
}

TEST_CASE("Candidates come best first, snapped and inside the cube") {
  const SearchSpace space = mixed_space();
  const Encoding encoding(space);
  Rng rng(3);
  UnitPoint target(space.size(), 0.999);
  encoding.snap(target);
  const auto found =
      search_acquisition(encoding, peak_at(encoding, target), {UnitPoint(space.size(), 1)}, {}, rng);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i > 0) CHECK(found[i].value <= found[i - 1].value);
    UnitPoint again = found[i].unit;
    encoding.snap(again);
    CHECK(again == found[i].unit);
  }
}

TEST_CASE(
    "A narrow peak that differs from the best point in one coordinate alone is found where coordinates are "
    "drawn anew") {
  const Encoding encoding(cube(6));
  UnitPoint best(6, 0), target(6, 0);
  best[0] = 0.1;
  target[0] = 0.85;
  // Flat but for the peak, so that nothing leads there.
  const Eigen::VectorXd top = encoding.encode(target);
  const Acquisition peak{[top](const Eigen::MatrixXd& points) -> Eigen::VectorXd {
                           const Eigen::VectorXd far = (points.rowwise() - top.transpose()).rowwise().norm();
                           return far.unaryExpr([](double d) { return d < 0.05 ? 1 - d : 0.0; });
                         },
                         [top](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
                           const double d = (x - top).norm();
                           gradient = d < 0.05 && d > 0 ? Eigen::VectorXd(-(x - top) / d)
                                                        : Eigen::VectorXd::Zero(x.size());
                           return d < 0.05 ? 1 - d : 0.0;
                         }};
  int found = 0, found_without = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Rng with(seed), without(seed);
    found += search_acquisition(encoding, peak, {best}, {.redrawn = 96}, with).front().value > 0.9;
    found_without += search_acquisition(encoding, peak, {best}, {}, without).front().value > 0.9;
  }
  CHECK(found >= 8);
  CHECK(found_without == 0);
}

TEST_CASE("Values that are not numbers sink to the end") {
  const Encoding encoding(cube(2));
  const Acquisition broken{[](const Eigen::MatrixXd& points) -> Eigen::VectorXd {
                             return Eigen::VectorXd::Constant(points.rows(), std::nan(""));
                           },
                           [](const Eigen::VectorXd&, Eigen::VectorXd& gradient) {
                             gradient = Eigen::VectorXd::Zero(2);
                             return std::nan("");
                           }};
  Rng rng(4);
  const auto found = search_acquisition(encoding, broken, {UnitPoint(2, 0.5)}, {}, rng);
  REQUIRE_FALSE(found.empty());
  CHECK(std::isinf(found.front().value));
}

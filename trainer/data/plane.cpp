#include "trainer/data/plane.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "tuner/core/error.h"

namespace tune::trainer::data {

namespace {

Plane make_plane(int width, int height) {
  return {width, height,
          std::vector<float>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height))};
}

// Along rows; the weights that fall outside are left out and the others raised.
Plane blurred_rows(const Plane& plane, const std::vector<float>& kernel) {
  const int radius = static_cast<int>(kernel.size()) - 1;
  Plane result = make_plane(plane.width, plane.height);
  std::vector<float> weight(static_cast<std::size_t>(plane.width), 0.0F);
  for (int k = -radius; k <= radius; ++k)
    for (int x = std::max(0, -k); x < std::min(plane.width, plane.width - k); ++x)
      weight[static_cast<std::size_t>(x)] += kernel[static_cast<std::size_t>(std::abs(k))];
  for (int y = 0; y < plane.height; ++y) {
    const float* from = plane.row(y);
    float* to = result.row(y);
    for (int k = -radius; k <= radius; ++k) {
      const float part = kernel[static_cast<std::size_t>(std::abs(k))];
      for (int x = std::max(0, -k); x < std::min(plane.width, plane.width - k); ++x)
        to[x] += part * from[x + k];
    }
    for (int x = 0; x < plane.width; ++x) to[x] /= weight[static_cast<std::size_t>(x)];
  }
  return result;
}

Plane transposed(const Plane& plane) {
  Plane result = make_plane(plane.height, plane.width);
  for (int y = 0; y < plane.height; ++y)
    for (int x = 0; x < plane.width; ++x) result.row(x)[y] = plane.row(y)[x];
  return result;
}

// Sums in eight lanes, which compilers turn into vector instructions without reordering anything themselves.
struct Sums {
  static constexpr int kLanes = 8;
  std::array<float, kLanes> a{}, b{}, aa{}, bb{}, ab{};
  void add(const float* first, const float* second, int count) {
    int x = 0;
    for (; x + kLanes <= count; x += kLanes)
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        add_one(first[x + static_cast<int>(lane)], second[x + static_cast<int>(lane)], lane);
    for (std::size_t lane = 0; x < count; ++x, ++lane) add_one(first[x], second[x], lane);
  }
  void add_one(float p, float q, std::size_t lane) {
    a[lane] += p;
    b[lane] += q;
    aa[lane] += p * p;
    bb[lane] += q * q;
    ab[lane] += p * q;
  }
  static double total(const std::array<float, kLanes>& lanes) {
    double sum = 0;
    for (const float lane : lanes) sum += static_cast<double>(lane);
    return sum;
  }
};

}  // namespace

Plane grey_plane(const images::Image& image) {
  Plane plane = make_plane(image.width, image.height);
  const auto channels = static_cast<std::size_t>(image.channels);
  for (std::size_t i = 0; i < plane.pixels.size(); ++i) {
    int sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += image.pixels[i * channels + c];
    plane.pixels[i] = static_cast<float>(sum) / static_cast<float>(image.channels);
  }
  return plane;
}

Plane reduced(const Plane& plane, int factor) {
  if (factor == 1) return plane;
  Plane result = make_plane(plane.width / factor, plane.height / factor);
  for (int y = 0; y < result.height; ++y)
    for (int dy = 0; dy < factor; ++dy) {
      const float* from = plane.row(y * factor + dy);
      for (int x = 0; x < result.width; ++x)
        for (int dx = 0; dx < factor; ++dx) result.row(y)[x] += *from++;
    }
  const float scale = 1.0F / static_cast<float>(factor * factor);
  for (float& pixel : result.pixels) pixel *= scale;
  return result;
}

Plane high_passed(const Plane& plane, double sigma) {
  std::vector<float> kernel;
  for (int k = 0; k <= static_cast<int>(std::ceil(3 * sigma)); ++k)
    kernel.push_back(static_cast<float>(std::exp(-k * k / (2 * sigma * sigma))));
  const Plane mean = transposed(blurred_rows(transposed(blurred_rows(plane, kernel)), kernel));
  Plane result = plane;
  for (std::size_t i = 0; i < result.pixels.size(); ++i) result.pixels[i] -= mean.pixels[i];
  return result;
}

Shared shared_part(const Plane& first, const Plane& second, int dx, int dy) {
  const int x = std::max(0, dx), y = std::max(0, dy);
  return {x, y, std::min(first.width, second.width + dx) - x, std::min(first.height, second.height + dy) - y};
}

double shared_share(const Plane& first, const Plane& second, int dx, int dy) {
  const Shared shared = shared_part(first, second, dx, dy);
  if (shared.width <= 0 || shared.height <= 0) return 0;
  const auto area = [](int width, int height) { return static_cast<double>(width) * height; };
  return area(shared.width, shared.height) /
         std::min(area(first.width, first.height), area(second.width, second.height));
}

double correlation(const Plane& first, const Plane& second, int dx, int dy) {
  constexpr double kFlat = 0.01;  // of a grey level's variance
  const Shared shared = shared_part(first, second, dx, dy);
  if (shared.width <= 0 || shared.height <= 0 || shared.width * shared.height < 16) return 0;
  double a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  for (int y = 0; y < shared.height; ++y) {
    Sums sums;
    sums.add(first.row(shared.y + y) + shared.x, second.row(shared.y + y - dy) + shared.x - dx, shared.width);
    a += Sums::total(sums.a), b += Sums::total(sums.b);
    aa += Sums::total(sums.aa), bb += Sums::total(sums.bb), ab += Sums::total(sums.ab);
  }
  const double n = static_cast<double>(shared.width) * shared.height;
  const double variance_a = aa / n - a / n * (a / n), variance_b = bb / n - b / n * (b / n);
  return (ab / n - a / n * (b / n)) /
         std::sqrt((std::max(variance_a, 0.0) + kFlat) * (std::max(variance_b, 0.0) + kFlat));
}

double local_correlation(const Plane& first, const Plane& second, int dx, int dy) {
  constexpr int kBlock = 10;
  const Shared shared = shared_part(first, second, dx, dy);
  if (shared.width <= 0 || shared.height <= 0) return 0;
  const auto block = [](const Plane& plane, int left, int top, int right, int bottom) {
    Plane part = make_plane(right - left, bottom - top);
    for (int row = 0; row < part.height; ++row)
      std::copy_n(plane.row(top + row) + left, part.width, part.row(row));
    return part;
  };
  const int across = std::max(1, shared.width / kBlock), down = std::max(1, shared.height / kBlock);
  double sum = 0;
  for (int v = 0; v < down; ++v)
    for (int u = 0; u < across; ++u) {
      const int left = shared.x + shared.width * u / across,
                right = shared.x + shared.width * (u + 1) / across, top = shared.y + shared.height * v / down,
                bottom = shared.y + shared.height * (v + 1) / down;
      sum += correlation(block(first, left, top, right, bottom),
                         block(second, left - dx, top - dy, right - dx, bottom - dy), 0, 0);
    }
  return sum / (across * down);
}

double climb(const Plane& first, const Plane& second, int reach, double least_share, int& dx, int& dy) {
  const int from_x = dx, from_y = dy;
  std::map<std::pair<int, int>, double> known;
  const auto at = [&](int x, int y) {
    if (std::abs(x - from_x) > reach || std::abs(y - from_y) > reach ||
        shared_share(first, second, x, y) < least_share)
      return -1.0;
    const auto [entry, added] = known.try_emplace({x, y}, 0.0);
    if (added) entry->second = correlation(first, second, x, y);
    return entry->second;
  };
  double best = at(dx, dy);
  for (bool moved = true; moved;) {
    moved = false;
    const int x = dx, y = dy;
    for (int step_y = -1; step_y <= 1; ++step_y)
      for (int step_x = -1; step_x <= 1; ++step_x)
        if (const double here = at(x + step_x, y + step_y); here > best) {
          best = here, dx = x + step_x, dy = y + step_y;
          moved = true;
        }
  }
  return best;
}

}  // namespace tune::trainer::data

#pragma once
// Planes of grey levels, and the filters and correlations on them that the search for overlaps is made of.
#include <cstddef>
#include <filesystem>
#include <vector>

#include "trainer/images/image.h"

namespace tune::trainer::data {

// Grey levels (0 to 255, or around 0 once high-passed), rows from the top.
struct Plane {
  int width = 0, height = 0;
  std::vector<float> pixels;
  const float* row(int y) const {
    return pixels.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
  }
  float* row(int y) { return pixels.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width); }
};

// The mean of the channels.
Plane grey_plane(const images::Image& image);
// Means of factor x factor pixels; what is left over at the right and at the bottom is dropped.
Plane reduced(const Plane& plane, int factor);
// The plane without its Gaussian mean of standard deviation `sigma` pixels; near the edges the mean is that
// of the pixels within the plane.
Plane high_passed(const Plane& plane, double sigma);

// The rectangle that two planes share when pixel (x, y) of the second is (x + dx, y + dy) of the first.
struct Shared {
  int x = 0, y = 0;           // in the first plane
  int width = 0, height = 0;  // <= 0: nothing is shared
};
Shared shared_part(const Plane& first, const Plane& second, int dx, int dy);
// Less of the smaller plane's area is no overlap worth looking for.
inline constexpr double kLeastShare = 0.2;
// The shared part of the smaller plane's area.
double shared_share(const Plane& first, const Plane& second, int dx, int dy);

// Pearson's correlation over the shared rectangle, -1 to 1. A hundredth of a grey level's variance is added
// to each side's, so that flat parts correlate with nothing. 0 where fewer than 16 pixels are shared.
double correlation(const Plane& first, const Plane& second, int dx, int dy);

// The mean of the correlations of blocks of about 10 x 10 pixels, into which the shared rectangle is cut:
// each counts alike, so that one line or spot that looks alike, however bold, counts for its own blocks
// alone.
double local_correlation(const Plane& first, const Plane& second, int dx, int dy);

// Climbs from (dx, dy) to the nearest shift whose correlation no neighbour exceeds, among those at most
// `reach` away in each direction and with at least `least_share` shared. Returns that correlation.
double climb(const Plane& first, const Plane& second, int reach, double least_share, int& dx, int& dy);

}  // namespace tune::trainer::data

#include "trainer/data/overlap_confirm.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace tune::trainer::data {
namespace {

// True overlaps of steel surfaces correlate at 0.7 and more; odd shifts and noise take a part of it.
constexpr double kLeastCorrelation = 0.5;
constexpr double kLeastCoherence = 0.5;
// All but 9 of 1,850 overlaps of real steel photographs have 0.5 and more; look-alikes (scratches, and spots
// on smooth drawings) reach 0.46.
constexpr double kLeastLocal = 0.5;
// Of the area: with less in common, images are shifted further than one camera and its holder let them be.
constexpr double kAligned = 0.9;
// Pictures that were saved again have 0.9 and more. Of 2,624 photographs of solar cells, no two that have but
// their grid in common reach 0.76.
constexpr double kCopy = 0.8;
// Of the own parts of images that are shifted: nothing is left of a grid that lies on itself a period
// further, and nearly all of a surface.
constexpr double kLeastOwn = 0.4;
constexpr int kReach = 3;  // pixels: a peak at half the size is off by 2 at most

void copy_windowed(const Plane& plane, int x, int y, int width, int height, float* to, std::int64_t stride) {
  const auto window = [](int i, int count) { return 0.5 - 0.5 * std::cos(2 * M_PI * (i + 0.5) / count); };
  double mean = 0;
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column)
      mean += static_cast<double>(plane.row(y + row)[x + column]);
  mean /= static_cast<double>(width) * height;
  std::vector<float> across(static_cast<std::size_t>(width));
  for (int column = 0; column < width; ++column)
    across[static_cast<std::size_t>(column)] = static_cast<float>(window(column, width));
  for (int row = 0; row < height; ++row) {
    const auto down = static_cast<float>(window(row, height));
    const float* from = plane.row(y + row) + x;
    for (int column = 0; column < width; ++column)
      to[row * stride + column] =
          (from[column] - static_cast<float>(mean)) * down * across[static_cast<std::size_t>(column)];
  }
}

std::int64_t padded_side(int largest) {
  std::int64_t side = 16;
  while (side < largest) side += side < 64 ? 16 : 32;
  return side;
}

}  // namespace

double coherence(const Plane& first, const Plane& second, int dx, int dy) {
  constexpr double kLowest = 0.04, kHighest = 0.3;  // cycles a pixel
  const Shared shared = shared_part(first, second, dx, dy);
  if (shared.width < 8 || shared.height < 8) return 0;
  const torch::InferenceMode inference;
  const std::int64_t side = padded_side(std::max(shared.width, shared.height)), half = side / 2 + 1;
  const torch::Tensor parts = torch::zeros({2, side, side});
  float* pixels = parts.data_ptr<float>();
  copy_windowed(first, shared.x, shared.y, shared.width, shared.height, pixels, side);
  copy_windowed(second, shared.x - dx, shared.y - dy, shared.width, shared.height, pixels + side * side,
                side);
  const torch::Tensor spectra = torch::fft_rfft2(parts).contiguous();
  const auto* one = spectra.data_ptr<c10::complex<float>>();
  const auto* other = one + side * half;
  double sum = 0;
  std::int64_t count = 0;
  for (std::int64_t y = 0; y < side; ++y) {
    const double down = static_cast<double>(y <= side / 2 ? y : y - side) / static_cast<double>(side);
    for (std::int64_t x = 0; x < half; ++x) {
      const double across = static_cast<double>(x) / static_cast<double>(side);
      const double frequency = down * down + across * across;
      if (frequency < kLowest * kLowest || frequency > kHighest * kHighest) continue;
      const c10::complex<float> a = one[y * half + x], b = other[y * half + x];
      const float real = a.real() * b.real() + a.imag() * b.imag(),
                  imaginary = a.imag() * b.real() - a.real() * b.imag();
      const float length = std::sqrt(real * real + imaginary * imaginary);
      if (length > 0) sum += static_cast<double>(real / length);
      ++count;
    }
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

std::optional<Overlap> confirm(const ComparedImage& first, const ComparedImage& second,
                               const std::vector<Peak>& peaks) {
  std::vector<Overlap> candidates;
  std::set<std::pair<int, int>> seen;
  for (const Peak& peak : peaks) {
    Overlap candidate;
    candidate.dx = 2 * peak.dx, candidate.dy = 2 * peak.dy;
    candidate.correlation = climb(first.whole, second.whole, kReach, kLeastShare, candidate.dx, candidate.dy);
    if (candidate.correlation >= kLeastCorrelation && seen.emplace(candidate.dx, candidate.dy).second)
      candidates.push_back(candidate);
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const Overlap& a, const Overlap& b) { return a.correlation > b.correlation; });
  for (Overlap& candidate : candidates) {
    const int dx = candidate.dx, dy = candidate.dy;
    candidate.coherence = coherence(first.whole, second.whole, dx, dy);
    candidate.share = shared_share(first.whole, second.whole, dx, dy);
    if (candidate.coherence < kLeastCoherence ||
        local_correlation(first.whole, second.whole, dx, dy) < kLeastLocal)
      continue;
    const double least_own = candidate.share >= kAligned ? kStrongCoherence : kLeastOwn;
    if (candidate.coherence < kCopy && coherence(first.own, second.own, dx, dy) < least_own) continue;
    return candidate;
  }
  return std::nullopt;
}

}  // namespace tune::trainer::data

#include "trainer/data/overlap_coarse.h"

#include <algorithm>
#include <cmath>

#include "trainer/data/in_parallel.h"
#include "tuner/core/error.h"

namespace tune::trainer::data {
namespace {

// Variance in grey levels squared that is added to each side's: noise of flat parts correlates with nothing.
constexpr double kFlat = 0.25;

bool is_quick(std::int64_t side) {
  for (const std::int64_t factor : {2, 3, 5})
    while (side % factor == 0) side /= factor;
  return side == 1;
}

// The larger the shift, the less may be shared, so no two shifts within reach are equal modulo 1.8 sides.
std::int64_t transform_side(int largest) {
  auto side = static_cast<std::int64_t>(std::ceil((2 - kLeastShare) * largest));
  while (side % 2 != 0 || !is_quick(side)) ++side;
  return side;
}

std::size_t at(int y, int x, int width) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
}

}  // namespace

CoarseSearch::CoarseSearch(const std::vector<Plane>& planes) {
  int largest = 1;
  for (const Plane& plane : planes) largest = std::max({largest, plane.width, plane.height});
  side_ = transform_side(largest);
  const auto count = static_cast<std::int64_t>(planes.size());
  conjugates_ = torch::empty({count, side_, side_ / 2 + 1}, torch::kComplexFloat);
  torch::Tensor padded = torch::zeros({side_, side_});
  for (std::int64_t i = 0; i < count; ++i) {
    const Plane& plane = planes[static_cast<std::size_t>(i)];
    padded.zero_();
    for (int y = 0; y < plane.height; ++y)
      std::copy_n(plane.row(y), plane.width, padded.data_ptr<float>() + y * side_);
    conjugates_[i].copy_(torch::fft_rfft2(padded).conj());
    Energies energies{plane.width, plane.height, {}};
    energies.sums.assign(at(plane.height + 1, 0, plane.width + 1), 0.0);
    for (int y = 0; y < plane.height; ++y) {
      double along = 0;
      for (int x = 0; x < plane.width; ++x) {
        along += static_cast<double>(plane.row(y)[x]) * static_cast<double>(plane.row(y)[x]) + kFlat;
        energies.sums[at(y + 1, x + 1, plane.width + 1)] =
            energies.sums[at(y, x + 1, plane.width + 1)] + along;
      }
    }
    energies_.push_back(std::move(energies));
  }
}

void CoarseSearch::inverse_norms(const Energies& of, int other_width, int other_height, bool of_first,
                                 std::vector<float>& norms) {
  const int first_width = of_first ? of.width : other_width,
            first_height = of_first ? of.height : other_height;
  const int second_width = of_first ? other_width : of.width,
            second_height = of_first ? other_height : of.height;
  const double least = kLeastShare * std::min(static_cast<double>(first_width) * first_height,
                                              static_cast<double>(second_width) * second_height);
  const int columns = first_width + second_width - 1;
  norms.assign(at(first_height + second_height - 1, 0, columns), 0.0F);
  for (int dy = 1 - second_height; dy < first_height; ++dy) {
    const int top = std::max(0, dy), bottom = std::min(first_height, second_height + dy);
    for (int dx = 1 - second_width; dx < first_width; ++dx) {
      const int left = std::max(0, dx), right = std::min(first_width, second_width + dx);
      if (static_cast<double>(bottom - top) * (right - left) < least) continue;
      const int x = of_first ? 0 : dx, y = of_first ? 0 : dy, width = of.width + 1;
      const double energy = of.sums[at(bottom - y, right - x, width)] -
                            of.sums[at(top - y, right - x, width)] -
                            of.sums[at(bottom - y, left - x, width)] + of.sums[at(top - y, left - x, width)];
      norms[at(dy + second_height - 1, dx + second_width - 1, columns)] =
          static_cast<float>(1 / std::sqrt(energy));
    }
  }
}

void CoarseSearch::prepare_for(std::size_t first, int threads) {
  first_width_ = energies_[first].width;
  first_height_ = energies_[first].height;
  second_norms_.resize(energies_.size());
  in_parallel(energies_.size(), threads, [&](std::size_t i) {
    inverse_norms(energies_[i], first_width_, first_height_, /*of_first=*/false, second_norms_[i]);
  });
}

std::vector<std::vector<Peak>> CoarseSearch::peaks(std::size_t first, const std::vector<std::size_t>& seconds,
                                                   float least) const {
  const Energies& energies = energies_[first];
  TUNE_CHECK(energies.width == first_width_ && energies.height == first_height_);
  const torch::InferenceMode inference;
  const auto begin = static_cast<std::int64_t>(seconds.front()),
             end = static_cast<std::int64_t>(seconds.back()) + 1;
  TUNE_CHECK(end - begin == static_cast<std::int64_t>(seconds.size()), "a block of neighbours");
  const torch::Tensor spectrum = conjugates_[static_cast<std::int64_t>(first)].conj().resolve_conj();
  const torch::Tensor correlations =
      torch::fft_irfft2(conjugates_.slice(0, begin, end) * spectrum, torch::IntArrayRef{side_, side_})
          .contiguous();
  std::vector<std::vector<Peak>> found;
  std::vector<float> norms, scores;
  int width = 0, height = 0;
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    const Energies& second = energies_[seconds[i]];
    if (second.width != width || second.height != height) {
      width = second.width, height = second.height;
      inverse_norms(energies, width, height, /*of_first=*/true, norms);
    }
    found.push_back(peaks_of(correlations.data_ptr<float>() + static_cast<std::int64_t>(i) * side_ * side_,
                             norms, second_norms_[seconds[i]], second, least, scores));
  }
  return found;
}

std::vector<Peak> CoarseSearch::peaks_of(const float* correlation, const std::vector<float>& first_norms,
                                         const std::vector<float>& second_norms, const Energies& second,
                                         float least, std::vector<float>& scores) const {
  const int columns = first_width_ + second.width - 1, rows = first_height_ + second.height - 1;
  scores.resize(first_norms.size());
  std::array<float, 8> highest{};
  const auto side = static_cast<int>(side_);
  for (int row = 0; row < rows; ++row) {
    const int dy = row + 1 - second.height;
    // Beyond the transform's reach nothing is shared enough; the norms are 0 there.
    const float* line = correlation + static_cast<std::int64_t>(((dy % side) + side) % side) * side_;
    const std::size_t start = at(row, 0, columns);
    const auto score = [&](int from, int to, const float* values) {
      for (int c = from; c < to; ++c) {
        const auto k = start + static_cast<std::size_t>(c);
        scores[k] = values[c - from] * first_norms[k] * second_norms[k];
      }
    };
    const int negative = second.width - 1;  // columns with dx below 0 lie at the line's end
    score(0, negative, line + side - negative);
    score(negative, columns, line);
  }
  std::size_t k = 0;
  for (; k + highest.size() <= scores.size(); k += highest.size())
    for (std::size_t lane = 0; lane < highest.size(); ++lane)
      highest[lane] = std::max(highest[lane], scores[k + lane]);
  for (; k < scores.size(); ++k) highest[0] = std::max(highest[0], scores[k]);
  std::vector<Peak> peaks;
  if (*std::max_element(highest.begin(), highest.end()) < least) return peaks;
  while (peaks.size() < kMostPeaks) {
    const auto best = std::max_element(scores.begin(), scores.end());
    if (*best < least) break;
    const int index = static_cast<int>(best - scores.begin());
    const int row = index / columns, column = index % columns;
    peaks.push_back({column + 1 - second.width, row + 1 - second.height, *best});
    constexpr int kApart = 2;
    for (int y = std::max(0, row - kApart); y <= std::min(rows - 1, row + kApart); ++y)
      for (int x = std::max(0, column - kApart); x <= std::min(columns - 1, column + kApart); ++x)
        scores[at(y, x, columns)] = 0;
  }
  return peaks;
}

}  // namespace tune::trainer::data

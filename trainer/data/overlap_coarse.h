#pragma once
// The coarse half of the search for overlaps: correlations of all pairs at every shift, by Fourier transform.
// Used by overlap_search.cpp alone.
#include <array>
#include <vector>

#include "trainer/data/plane.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::data {

struct Peak {
  int dx = 0, dy = 0;  // pixels of the planes
  float score = 0;     // correlation, -1 to 1
};

// Normalised cross-correlation of one plane with many (Lewis, Fast Normalized Cross-Correlation, 1995, for
// planes of mean nearly zero): for every shift at which at least a fifth of the smaller plane is shared.
// Built by one thread; peaks() may then run on any number of threads. The planes are not kept.
class CoarseSearch {
 public:
  explicit CoarseSearch(const std::vector<Plane>& planes);

  // Call before peaks() with a first plane of this one's size: energies of every plane's parts that such
  // planes may share, on `threads` threads.
  void prepare_for(std::size_t first, int threads);

  static constexpr std::size_t kMostPeaks = 6;
  // For each of `seconds` the highest shifts above `least`, at least three pixels from each other, highest
  // first. `first` has the size that was prepared for.
  std::vector<std::vector<Peak>> peaks(std::size_t first, const std::vector<std::size_t>& seconds,
                                       float least) const;

 private:
  struct Energies {
    int width = 0, height = 0;
    std::vector<double> sums;  // (height + 1) x (width + 1): of squares above and left of each corner
  };
  // 1 / sqrt(energy of the part of `of` that is shared) at every shift, 0 where too little is; rows dy from
  // 1 - second.height on, columns dx from 1 - second.width on. `of_first`: `of` is the first plane of the
  // pair.
  static void inverse_norms(const Energies& of, int other_width, int other_height, bool of_first,
                            std::vector<float>& norms);
  std::vector<Peak> peaks_of(const float* correlation, const std::vector<float>& first_norms,
                             const std::vector<float>& second_norms, const Energies& second, float least,
                             std::vector<float>& scores) const;

  std::int64_t side_ = 0;  // of the transforms
  torch::Tensor conjugates_;
  std::vector<Energies> energies_;
  int first_width_ = 0, first_height_ = 0;
  std::vector<std::vector<float>> second_norms_;  // of every plane beside a first one of that size
};

}  // namespace tune::trainer::data

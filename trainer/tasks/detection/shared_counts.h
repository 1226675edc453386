#pragma once
// What losses of a batch are divided by, where several processes have parts of it.
#include <cstdint>
#include <vector>

#include "trainer/parallel/team.h"

namespace tune::trainer::detection {

// `own` are scalars that were counted in this process's part, one or more, on one device; `images` are the
// images of the part, at least 1. Returns them summed over the team, as floats, and behind them the images of
// all over those of this part: losses times that have the batch's loss as their mean by images.
std::vector<torch::Tensor> shared_counts(std::vector<torch::Tensor> own, std::int64_t images,
                                         const parallel::Team& team);

}  // namespace tune::trainer::detection

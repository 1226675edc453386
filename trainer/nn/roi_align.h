#pragma once
// Features of boxes, whatever their size, as maps of one size (He et al., Mask R-CNN, ICCV 2017, section 3).
#include <vector>

#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

struct RoiAlignOptions {
  std::int64_t side = 7;     // bins of each side of a result
  std::int64_t samples = 2;  // points of each bin along each axis, whose mean it is
};

// One map of a pyramid.
struct RoiLevel {
  torch::Tensor map;  // [B, C, H, W]; all levels have the same B and C
  double scale = 1;   // pixels of the map to one of the boxes
};

// Where boxes are looked up.
struct RoiPlaces {
  torch::Tensor boxes;   // float [R, 4], corners
  torch::Tensor images;  // int64 [R], of the batch
  torch::Tensor levels;  // int64 [R]; undefined: all in the first
};

// float [R, C, side, side], as torchvision's roi_align with `aligned` off gives it, in fp32 whatever the
// maps' type. The boxes get no gradient. On the CPU a loop over boxes in channels_last, whose gradients do
// not depend on the number of threads; elsewhere bags of weighted rows, which ask the device for nothing.
torch::Tensor roi_align(const std::vector<RoiLevel>& levels, const RoiPlaces& places,
                        const RoiAlignOptions& options = {});
// The second of the two ways, on any device.
torch::Tensor roi_align_by_bags(const std::vector<RoiLevel>& levels, const RoiPlaces& places,
                                const RoiAlignOptions& options = {});

// The level of each box (Lin et al., Feature Pyramid Networks, CVPR 2017, equation 1): that of a box of
// 224 x 224 pixels is at a scale of 1/16, and each doubling is one further on. int64 [R]; `scales` fall by
// halves.
torch::Tensor levels_of_boxes(const torch::Tensor& boxes, const std::vector<double>& scales);

}  // namespace tune::trainer::nn

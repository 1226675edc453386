#include "trainer/tasks/detection/batched_boxes.h"

namespace tune::trainer::detection {
namespace {

constexpr int kX1 = 0, kY1 = 1, kX2 = 2, kY2 = 3;

torch::Tensor corner(const torch::Tensor& boxes, int which) { return boxes.select(-1, which); }

// What two boxes share along one axis.
torch::Tensor shared(const torch::Tensor& a, const torch::Tensor& b, int low, int high) {
  return (torch::minimum(corner(a, high), corner(b, high)) - torch::maximum(corner(a, low), corner(b, low)))
      .clamp_min(0);
}

}  // namespace

torch::Tensor boxes_tensor(const std::vector<Box>& boxes) {
  torch::Tensor corners = torch::empty({static_cast<std::int64_t>(boxes.size()), 4});
  auto* to = corners.data_ptr<float>();
  for (const Box& box : boxes)
    for (const float value : {box.x1, box.y1, box.x2, box.y2}) *to++ = value;
  return corners;
}

torch::Tensor box_areas(const torch::Tensor& boxes) {
  return (corner(boxes, kX2) - corner(boxes, kX1)).clamp_min(0) *
         (corner(boxes, kY2) - corner(boxes, kY1)).clamp_min(0);
}

torch::Tensor pairwise_overlaps(const torch::Tensor& boxes, const torch::Tensor& others) {
  const torch::Tensor a = boxes.unsqueeze(-2), b = others.unsqueeze(-3);
  const torch::Tensor intersection = shared(a, b, kX1, kX2) * shared(a, b, kY1, kY2);
  const torch::Tensor joined = box_areas(a) + box_areas(b) - intersection;
  return torch::where(joined > 0, intersection / joined, torch::zeros_like(intersection));
}

torch::Tensor encode_boxes(const torch::Tensor& boxes, const torch::Tensor& default_boxes,
                           const OffsetUnits& units) {
  const auto centre = [&](int low, int high, const torch::Tensor& side) {
    return ((corner(boxes, low) + corner(boxes, high)) -
            (corner(default_boxes, low) + corner(default_boxes, high))) /
           2 / side / units.center;
  };
  const auto log_size = [&](int low, int high, const torch::Tensor& side) {
    return ((corner(boxes, high) - corner(boxes, low)) / side).log() / units.size;
  };
  const torch::Tensor width = corner(default_boxes, kX2) - corner(default_boxes, kX1),
                      height = corner(default_boxes, kY2) - corner(default_boxes, kY1);
  return torch::stack({centre(kX1, kX2, width), centre(kY1, kY2, height), log_size(kX1, kX2, width),
                       log_size(kY1, kY2, height)},
                      -1);
}

torch::Tensor decode_boxes(const torch::Tensor& offsets, const torch::Tensor& default_boxes,
                           float largest_log_size, const OffsetUnits& units) {
  const auto centre = [&](int low, int high, const torch::Tensor& side) {
    return (corner(default_boxes, low) + corner(default_boxes, high)) / 2 +
           corner(offsets, low) * units.center * side;
  };
  const auto half = [&](int high, const torch::Tensor& side) {
    return side * (corner(offsets, high) * units.size).clamp_max(largest_log_size).exp() / 2;
  };
  const torch::Tensor width = corner(default_boxes, kX2) - corner(default_boxes, kX1),
                      height = corner(default_boxes, kY2) - corner(default_boxes, kY1);
  const torch::Tensor x = centre(kX1, kX2, width), y = centre(kY1, kY2, height), across = half(kX2, width),
                      down = half(kY2, height);
  return torch::stack({x - across, y - down, x + across, y + down}, -1);
}

}  // namespace tune::trainer::detection

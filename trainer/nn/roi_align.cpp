#include "trainer/nn/roi_align.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "trainer/libtorch_threads.h"
#include "tuner/core/error.h"

namespace tune::trainer::nn {
namespace {

constexpr int kMostPoints = 64;  // along an axis of a box
constexpr std::int64_t kCorners = 4;
constexpr double kOutside = -2;  // of every map, along any axis

// A range for each thread, of about the same length.
template <typename Work>
void for_ranges(std::int64_t count, Work work) {
  const std::int64_t parts = std::min<std::int64_t>(count, at::get_num_threads());
  for_parts(parts, [&](std::int64_t part) { work(part * count / parts, (part + 1) * count / parts); });
}

// Where the points of a box lie along one axis: between two pixels, by a weight of each. Both weights are 0
// for a point outside the map.
struct Axis {
  std::array<std::int64_t, kMostPoints> low{}, high{};
  std::array<float, kMostPoints> low_weight{}, high_weight{};
};

Axis points_along(float begin, float end, std::int64_t pixels, const RoiAlignOptions& options) {
  Axis axis;
  const float bin = std::max(end - begin, 1.0F) / static_cast<float>(options.side);
  for (std::int64_t i = 0; i < options.side * options.samples; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const float within =
        (static_cast<float>(i % options.samples) + 0.5F) * bin / static_cast<float>(options.samples);
    float point = begin + static_cast<float>(i / options.samples) * bin + within;
    if (!(point >= -1 && point <= static_cast<float>(pixels))) continue;
    point = std::max(point, 0.0F);
    axis.low[at] = std::min(static_cast<std::int64_t>(point), pixels - 1);
    axis.high[at] = std::min(axis.low[at] + 1, pixels - 1);
    const float beyond = axis.high[at] == axis.low[at] ? 0.0F : point - static_cast<float>(axis.low[at]);
    axis.high_weight[at] = beyond;
    axis.low_weight[at] = 1 - beyond;
  }
  return axis;
}

struct Shape {
  std::int64_t height = 0, width = 0;
  float scale = 1;
};

// Everything that does not depend on the channels.
struct Plan {
  RoiAlignOptions options;
  std::vector<Shape> shapes;  // of the levels
  std::int64_t channels = 0, boxes = 0;
  const float* corners = nullptr;  // [boxes, 4]
  const std::int64_t* image = nullptr;
  const std::int64_t* level = nullptr;

  std::int64_t bins() const { return options.side * options.side; }
};

struct BoxPoints {
  Axis down, across;
};

BoxPoints points_of(const Plan& plan, std::int64_t box) {
  const Shape& shape = plan.shapes[static_cast<std::size_t>(plan.level[box])];
  const float* corner = plan.corners + 4 * box;
  return {points_along(corner[1] * shape.scale, corner[3] * shape.scale, shape.height, plan.options),
          points_along(corner[0] * shape.scale, corner[2] * shape.scale, shape.width, plan.options)};
}

// The pixels of `map` [B, H, W, C] about a point: calls visit(pixel offset, weight of the pixel).
template <typename Visit>
void visit_bin(const Plan& plan, const BoxPoints& points, std::int64_t box, std::int64_t bin, Visit visit) {
  const std::int64_t samples = plan.options.samples, side = plan.options.side;
  const Shape& shape = plan.shapes[static_cast<std::size_t>(plan.level[box])];
  const float share = 1 / static_cast<float>(samples * samples);
  const std::int64_t first_row = plan.image[box] * shape.height;
  for (std::int64_t y = bin / side * samples; y < (bin / side + 1) * samples; ++y) {
    const auto row = static_cast<std::size_t>(y);
    for (std::int64_t x = bin % side * samples; x < (bin % side + 1) * samples; ++x) {
      const auto column = static_cast<std::size_t>(x);
      const std::int64_t upper = (first_row + points.down.low[row]) * shape.width,
                         lower = (first_row + points.down.high[row]) * shape.width;
      const float up = points.down.low_weight[row] * share, down = points.down.high_weight[row] * share,
                  left = points.across.low_weight[column], right = points.across.high_weight[column];
      visit(std::array{upper + points.across.low[column], upper + points.across.high[column],
                       lower + points.across.low[column], lower + points.across.high[column]},
            std::array{up * left, up * right, down * left, down * right});
    }
  }
}

void align_box(const Plan& plan, const float* map, std::int64_t box, float* buffer, float* to) {
  const std::int64_t channels = plan.channels, bins = plan.bins();
  const BoxPoints points = points_of(plan, box);
  std::fill_n(buffer, bins * channels, 0.0F);
  for (std::int64_t bin = 0; bin < bins; ++bin) {
    float* sum = buffer + bin * channels;
    visit_bin(plan, points, box, bin, [&](const auto& pixels, const auto& weights) {
      const float *a = map + pixels[0] * channels, *b = map + pixels[1] * channels,
                  *c = map + pixels[2] * channels, *d = map + pixels[3] * channels;
      for (std::int64_t i = 0; i < channels; ++i)
        sum[i] += weights[0] * a[i] + weights[1] * b[i] + weights[2] * c[i] + weights[3] * d[i];
    });
  }
  for (std::int64_t i = 0; i < channels; ++i)
    for (std::int64_t bin = 0; bin < bins; ++bin) *to++ = buffer[bin * channels + i];
}

// Of the channels from `first` on: `from` is the gradient of a box's result, `map` that of its level.
void spread_box(const Plan& plan, const float* from, std::int64_t box, std::int64_t first, std::int64_t last,
                float* buffer, float* map) {
  const std::int64_t count = last - first, bins = plan.bins();
  const BoxPoints points = points_of(plan, box);
  from += first * bins;
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t bin = 0; bin < bins; ++bin) buffer[bin * count + i] = *from++;
  for (std::int64_t bin = 0; bin < bins; ++bin) {
    const float* gradient = buffer + bin * count;
    visit_bin(plan, points, box, bin, [&](const auto& pixels, const auto& weights) {
      for (std::size_t corner = 0; corner < weights.size(); ++corner) {
        if (weights[corner] == 0) continue;
        float* to = map + pixels[corner] * plan.channels + first;
        for (std::int64_t i = 0; i < count; ++i) to[i] += weights[corner] * gradient[i];
      }
    });
  }
}

struct Places {
  torch::Tensor corners, images, levels;
};

class RoiAlignFunction : public torch::autograd::Function<RoiAlignFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const Places& places,
                               const std::vector<double>& scales, const RoiAlignOptions& options,
                               at::TensorList maps) {
    Plan plan = plan_of(places, scales, options);
    std::vector<torch::Tensor> rows;
    std::vector<std::int64_t> sizes;  // four of each level
    for (std::size_t i = 0; i < maps.size(); ++i) {
      rows.push_back(maps[i].contiguous(at::MemoryFormat::ChannelsLast));
      add_shape(plan, maps[i].sizes(), scales[i]);
      sizes.insert(sizes.end(), maps[i].sizes().begin(), maps[i].sizes().end());
    }
    torch::Tensor result =
        torch::empty({plan.boxes, plan.channels, options.side, options.side}, torch::kFloat);
    float* to = result.data_ptr<float>();
    std::vector<const float*> pixels;
    for (const torch::Tensor& map : rows) pixels.push_back(map.const_data_ptr<float>());
    for_ranges(plan.boxes, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> buffer(static_cast<std::size_t>(plan.bins() * plan.channels));
      for (std::int64_t box = begin; box < end; ++box)
        align_box(plan, pixels[static_cast<std::size_t>(plan.level[box])], box, buffer.data(),
                  to + box * plan.channels * plan.bins());
    });
    context->saved_data["places"] = std::vector<torch::Tensor>{places.corners, places.images, places.levels};
    context->saved_data["scales"] = scales;
    context->saved_data["sizes"] = sizes;
    context->saved_data["options"] = std::vector<std::int64_t>{options.side, options.samples};
    return result;
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    const auto held = context->saved_data["places"].toTensorVector();
    const Places places{held[0], held[1], held[2]};
    const auto scales = context->saved_data["scales"].toDoubleVector();
    const auto sizes = context->saved_data["sizes"].toIntVector();
    const auto chosen = context->saved_data["options"].toIntVector();
    const RoiAlignOptions options{chosen[0], chosen[1]};
    Plan plan = plan_of(places, scales, options);
    std::vector<torch::Tensor> maps;
    std::vector<float*> pixels;
    for (std::size_t i = 0; i < scales.size(); ++i) {
      const at::IntArrayRef shape(sizes.data() + 4 * i, 4);
      add_shape(plan, shape, scales[i]);
      maps.push_back(torch::zeros(shape).contiguous(at::MemoryFormat::ChannelsLast));
      pixels.push_back(maps.back().data_ptr<float>());
    }
    const torch::Tensor gradient = gradients[0].contiguous();
    const float* from = gradient.const_data_ptr<float>();
    // Each thread has channels of its own, so that none adds to another's numbers.
    for_ranges(plan.channels, [&](std::int64_t first, std::int64_t last) {
      std::vector<float> buffer(static_cast<std::size_t>(plan.bins() * (last - first)));
      for (std::int64_t box = 0; box < plan.boxes; ++box)
        spread_box(plan, from + box * plan.channels * plan.bins(), box, first, last, buffer.data(),
                   pixels[static_cast<std::size_t>(plan.level[box])]);
    });
    torch::autograd::tensor_list result(3);  // none for what is no map
    result.insert(result.end(), maps.begin(), maps.end());
    return result;
  }

 private:
  static Plan plan_of(const Places& places, const std::vector<double>& scales,
                      const RoiAlignOptions& options) {
    TUNE_CHECK(options.side * options.samples <= kMostPoints && !scales.empty());
    Plan plan;
    plan.options = options;
    plan.boxes = places.corners.size(0);
    plan.corners = places.corners.const_data_ptr<float>();
    plan.image = places.images.const_data_ptr<std::int64_t>();
    plan.level = places.levels.const_data_ptr<std::int64_t>();
    return plan;
  }

  static void add_shape(Plan& plan, at::IntArrayRef sizes, double scale) {
    plan.channels = sizes[1];
    plan.shapes.push_back({sizes[2], sizes[3], static_cast<float>(scale)});
  }
};

torch::Tensor levels_or_first(const RoiPlaces& places) {
  return places.levels.defined() ? places.levels : torch::zeros_like(places.images);
}

// Where points lie along an axis, as pixels and weights [R, points, 2].
struct BaggedAxis {
  torch::Tensor pixels, weights;
};

BaggedAxis bagged_axis(const torch::Tensor& begin, const torch::Tensor& end, const torch::Tensor& size,
                       const RoiAlignOptions& options) {
  const torch::Tensor at = torch::arange(options.side * options.samples, begin.options());
  const torch::Tensor bin = ((end - begin).clamp_min(1) / static_cast<double>(options.side)).unsqueeze(1);
  const torch::Tensor whole = at.div(options.samples, "floor"), part = at - whole * options.samples;
  const torch::Tensor points =
      (begin.unsqueeze(1) + whole * bin + (part + 0.5) * bin / static_cast<double>(options.samples))
          .nan_to_num(/*nan=*/kOutside);
  const torch::Tensor last = (size - 1).unsqueeze(1);
  const torch::Tensor inside = (points >= -1).logical_and(points <= size.unsqueeze(1));
  const torch::Tensor clamped = points.clamp_min(0);
  const torch::Tensor low = torch::minimum(clamped.floor(), last), high = torch::minimum(low + 1, last);
  const torch::Tensor beyond = torch::where(low == high, torch::zeros_like(low), clamped - low);
  return {torch::stack({low, high}, 2).to(torch::kLong),
          torch::stack({1 - beyond, beyond}, 2) * inside.unsqueeze(2)};
}

torch::Tensor on_device(const std::vector<double>& numbers, const torch::Device& device) {
  return torch::tensor(at::ArrayRef<double>(numbers), torch::kFloat).to(device);
}

}  // namespace

torch::Tensor roi_align_by_bags(const std::vector<RoiLevel>& levels, const RoiPlaces& places,
                                const RoiAlignOptions& options) {
  // All pixels of all maps, one row each, and where each map begins.
  std::vector<torch::Tensor> rows;
  std::vector<double> heights, widths, scales, begins;
  std::int64_t begin = 0;
  for (const RoiLevel& level : levels) {
    const torch::Tensor& map = level.map;
    rows.push_back(map.to(torch::kFloat).permute({0, 2, 3, 1}).reshape({-1, map.size(1)}));
    begins.push_back(static_cast<double>(begin));
    begin += rows.back().size(0);
    heights.push_back(static_cast<double>(map.size(2)));
    widths.push_back(static_cast<double>(map.size(3)));
    scales.push_back(level.scale);
  }
  const torch::Tensor level = levels_or_first(places);
  const torch::Device device = places.boxes.device();
  const auto of_level = [&](const std::vector<double>& numbers) {
    return on_device(numbers, device).index_select(0, level);
  };
  const torch::Tensor corners = places.boxes * of_level(scales).unsqueeze(1);
  const torch::Tensor height = of_level(heights), width = of_level(widths);
  const BaggedAxis down = bagged_axis(corners.select(1, 1), corners.select(1, 3), height, options),
                   across = bagged_axis(corners.select(1, 0), corners.select(1, 2), width, options);
  // Of each bin, its points down, theirs across, and the pixels of each: [R, side, side, samples, samples,
  // 2, 2].
  const std::int64_t boxes = corners.size(0), side = options.side, samples = options.samples;
  const auto rows_of = [&](const torch::Tensor& axis) {
    return axis.view({boxes, side, 1, samples, 1, 2, 1});
  };
  const auto columns_of = [&](const torch::Tensor& axis) {
    return axis.view({boxes, 1, side, 1, samples, 1, 2});
  };
  const auto of_box = [&](const torch::Tensor& numbers) {
    return numbers.to(torch::kLong).view({boxes, 1, 1, 1, 1, 1, 1});
  };
  // A map of 2^24 pixels and more has no place in a float.
  std::vector<std::int64_t> first_rows(begins.begin(), begins.end());
  const torch::Tensor first =
      torch::tensor(at::ArrayRef<std::int64_t>(first_rows)).to(device).index_select(0, level);
  const torch::Tensor row = of_box(places.images) * of_box(height) + rows_of(down.pixels);
  const torch::Tensor pixels = of_box(first) + row * of_box(width) + columns_of(across.pixels);
  const torch::Tensor weights =
      rows_of(down.weights) * columns_of(across.weights) / static_cast<double>(samples * samples);
  const std::int64_t bag = samples * samples * kCorners;
  const torch::Tensor bags = torch::arange(boxes * side * side, places.images.options()) * bag;
  const torch::Tensor sums = std::get<0>(torch::embedding_bag(
      torch::cat(rows), pixels.reshape({-1}), bags, /*scale_grad_by_freq=*/false, /*mode: sum=*/0,
      /*sparse=*/false, weights.reshape({-1}), /*include_last_offset=*/false));
  return sums.view({boxes, side, side, levels.front().map.size(1)}).permute({0, 3, 1, 2}).contiguous();
}

torch::Tensor roi_align(const std::vector<RoiLevel>& levels, const RoiPlaces& places,
                        const RoiAlignOptions& options) {
  if (!places.boxes.is_cpu()) return roi_align_by_bags(levels, places, options);
  std::vector<torch::Tensor> maps;
  std::vector<double> scales;
  for (const RoiLevel& level : levels) {
    maps.push_back(level.map.to(torch::kFloat));
    scales.push_back(level.scale);
  }
  const Places plain{places.boxes.detach().to(torch::kFloat).contiguous(), places.images.contiguous(),
                     levels_or_first(places).contiguous()};
  return RoiAlignFunction::apply(plain, scales, options, at::TensorList(maps));
}

torch::Tensor levels_of_boxes(const torch::Tensor& boxes, const std::vector<double>& scales) {
  constexpr double kCanonicalSide = 224, kCanonicalLevel = 4, kEpsilon = 1e-6;
  const double first = std::round(-std::log2(scales.front())), last = std::round(-std::log2(scales.back()));
  const torch::Tensor sides =
      ((boxes.select(1, 2) - boxes.select(1, 0)) * (boxes.select(1, 3) - boxes.select(1, 1))).sqrt();
  const torch::Tensor level = (kCanonicalLevel + (sides / kCanonicalSide).log2() + kEpsilon).floor();
  return (level.clamp(first, last) - first).to(torch::kLong);
}

}  // namespace tune::trainer::nn

// Features of boxes, against torchvision's (tests/golden/detection/two_stage_golden.json) and finite
// differences.
#include "trainer/nn/roi_align.h"

#include "torch_catch.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"
#include "unit/trainer/noise.h"
#include "unit/trainer/tasks/detection/golden_samples.h"

using namespace tune::trainer;
using tune::Json;
using tune::tests::check_samples;
using tune::tests::noise;

namespace {

const Json& roi_golden() {
  static const Json json =
      Json::parse(tune::read_file(TUNE_SOURCE_DIR "/tests/golden/detection/two_stage_golden.json"));
  return json["roi_align"];
}

// As the script draws them: some up to the end of the map, some very small.
torch::Tensor boxes_of(const std::string& name, std::int64_t count) {
  const torch::Tensor u = noise(name, 4 * count).view({count, 4}) + 0.5;
  const torch::Tensor x = u.select(1, 0) * 160, y = u.select(1, 1) * 128;
  return torch::stack({x, y, (x + u.select(1, 2).pow(3) * 160).clamp_max(160),
                       (y + u.select(1, 3).pow(3) * 128).clamp_max(128)},
                      1);
}

torch::Tensor map_of(std::int64_t level) {
  const std::int64_t height = 32 >> level, width = 40 >> level;
  return (noise("map " + std::to_string(level), 2 * 5 * height * width) * 2).view({2, 5, height, width});
}

torch::Tensor images_of_boxes() {
  return torch::cat({torch::zeros({40}, torch::kLong), torch::ones({25}, torch::kLong)});
}

using Align = torch::Tensor (*)(const std::vector<nn::RoiLevel>&, const nn::RoiPlaces&,
                                const nn::RoiAlignOptions&);
const std::vector<std::pair<const char*, Align>> kWays{{"loops", nn::roi_align},
                                                       {"bags", nn::roi_align_by_bags}};

}  // namespace

TEST_CASE("Features of boxes on one map are torchvision's, whichever way they are computed") {
  const torch::Tensor boxes = torch::cat({boxes_of("boxes 0", 40), boxes_of("boxes 1", 25)});
  for (const auto& [name, align] : kWays) {
    INFO(name);
    check_samples(align({{map_of(0), 0.25}}, {boxes, images_of_boxes(), {}}, {}), roi_golden()["one"], 1e-5);
  }
}

TEST_CASE("Each box is looked up at the level of its size, and the maps get torchvision's gradients") {
  const torch::Tensor boxes = torch::cat({boxes_of("boxes 0", 40), boxes_of("boxes 1", 25)}) * 4;
  // Of images of 512 x 640 pixels the first map is a sixteenth: their scales fall from there.
  const std::vector<double> scales{1.0 / 16, 1.0 / 32, 1.0 / 64, 1.0 / 128};
  for (const auto& [name, align] : kWays) {
    INFO(name);
    std::vector<nn::RoiLevel> levels;
    for (std::int64_t i = 0; i < 4; ++i)
      levels.push_back({map_of(i).requires_grad_(), scales[static_cast<std::size_t>(i)]});
    const torch::Tensor found =
        align(levels, {boxes, images_of_boxes(), nn::levels_of_boxes(boxes, scales)}, {});
    check_samples(found, roi_golden()["many"], 1e-5);
    (found * noise("cotangent", found.numel()).view(found.sizes())).sum().backward();
    for (std::size_t i = 0; i < levels.size(); ++i)
      check_samples(levels[i].map.grad(), roi_golden()["gradients"][i], 1e-4);
  }
}

TEST_CASE("The gradient of a map is what finite differences say") {
  torch::manual_seed(3);
  const torch::Tensor boxes = torch::tensor({{-3.0F, 2.0F, 9.0F, 14.0F}, {4.0F, 4.0F, 4.5F, 30.0F}});
  const nn::RoiPlaces places{boxes, torch::tensor({std::int64_t{1}, std::int64_t{0}}), {}};
  const torch::Tensor weights = torch::randn({2, 3, 2, 2});
  for (const auto& [name, align] : kWays) {
    INFO(name);
    torch::Tensor map = torch::randn({2, 3, 6, 5}).requires_grad_();
    const auto value = [&](const torch::Tensor& at) {
      return (align({{at, 0.5}}, places, {2, 3}) * weights).sum();
    };
    value(map).backward();
    const torch::NoGradGuard no_grad;
    constexpr double kStep = 0.25;  // it is linear in the map
    for (std::int64_t i = 0; i < map.numel(); i += 7) {
      torch::Tensor more = map.detach().clone(), less = map.detach().clone();
      more.view(-1)[i] += kStep;
      less.view(-1)[i] -= kStep;
      const double slope = (value(more) - value(less)).item<double>() / (2 * kStep);
      CHECK(map.grad().view(-1)[i].item<double>() == Approx(slope).margin(1e-4));
    }
  }
}

TEST_CASE("Gradients of features of boxes are the same on one thread and on several") {
  const torch::Tensor boxes = boxes_of("boxes 0", 40);
  const auto gradient = [&](int threads) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    torch::Tensor map = torch::ones({1, 64, 32, 40}).requires_grad_();
    nn::roi_align({{map, 0.25}}, {boxes, torch::zeros({40}, torch::kLong), {}}).square().sum().backward();
    at::set_num_threads(before);
    return map.grad();
  };
  CHECK(gradient(1).equal(gradient(2)));
}

TEST_CASE("Points of a box more than a pixel outside the map count as 0, nearer ones as the map's edge") {
  // Of one pixel each: a map of ones, and boxes that leave it on each side.
  const torch::Tensor boxes =
      torch::tensor({{-1.4F, 1.0F, 0.6F, 2.0F}, {-2.0F, -2.0F, -1.0F, -1.0F}, {3.0F, 1.0F, 5.0F, 2.0F}});
  const nn::RoiPlaces places{boxes, torch::zeros({3}, torch::kLong), {}};
  for (const auto& [name, align] : kWays) {
    INFO(name);
    const torch::Tensor found = align({{torch::ones({1, 1, 4, 4}), 1}}, places, {1, 2}).view({3});
    CHECK(found[0].item<float>() == Approx(1));    // at -0.9 and 0.1
    CHECK(found[1].item<float>() == Approx(0));    // at -1.75 and -1.25
    CHECK(found[2].item<float>() == Approx(0.5));  // at 3.5 and 4.5
  }
}

TEST_CASE("A box that is no number has features of nothing") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const nn::RoiPlaces places{torch::tensor({{nan, nan, nan, nan}}), torch::zeros({1}, torch::kLong), {}};
  for (const auto& [name, align] : kWays) {
    INFO(name);
    CHECK(align({{torch::ones({1, 2, 4, 4}), 1}}, places, {}).equal(torch::zeros({1, 2, 7, 7})));
  }
}

TEST_CASE("Without boxes there are no features, and the map gets no gradient") {
  const nn::RoiPlaces places{torch::zeros({0, 4}), torch::zeros({0}, torch::kLong), {}};
  for (const auto& [name, align] : kWays) {
    INFO(name);
    torch::Tensor map = torch::ones({1, 2, 4, 4}).requires_grad_();
    const torch::Tensor found = align({{map, 1}}, places, {});
    CHECK(found.sizes() == at::IntArrayRef({0, 2, 7, 7}));
    found.sum().backward();
    CHECK(map.grad().equal(torch::zeros_like(map)));
  }
}
